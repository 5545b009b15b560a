--[[
Give places back.

Guarantee: a place that was given back is never admitted from then on; giving it back twice is the same as once. A called
place that is given back no longer counts as answered, so that its turn goes to somebody else.

KEYS  as in include/room.lua
ARGV  1 now, 2 joined and 3 called: the highest seen by this edge, 4 epoch of the places, 5… places
Returns JSON {outcome: "seen" | "moved" | "healing" | "missing", room}.
]]

local room, refusal = begin()
if not room then
    return refusal
end
for index = 5, #ARGV do
    local place = tonumber(ARGV[index])
    if redis.call('SETBIT', LEFT, place, 1) == 0 then
        room.left = room.left + 1
        if place <= room.called and redis.call('GETBIT', ADMITTED, place) == 0 then
            redis.call('SETBIT', ANSWERED, place, 0)
        end
    end
end
return told('seen', room)
