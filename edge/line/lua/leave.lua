--[[
Give tickets back.

Guarantee: a ticket that was given back is never admitted from then on; giving it back twice is the same as once. A called
place that is given back no longer counts as one whose holder has come, so that its turn goes to somebody else.

KEYS  as in include/room.lua
ARGV  REST… tickets
Returns JSON {outcome: "seen" | "moved" | "healing" | "missing", room}.
]]

local room, refusal = begin()
if not room then
    return refusal
end
for lane, number, place in tickets(room) do
    if redis.call('SETBIT', lane.LEFT, number, 1) == 0 then
        lane.left = lane.left + 1
        if place > 0 and place <= lane.called and redis.call('GETBIT', lane.ADMITTED, place) == 0 then
            redis.call('SETBIT', lane.ANSWERED, place, 0)
        end
    end
end
return told('seen', room)
