--[[
Give places back.

Guarantee: a place that was given back is never admitted from then on; giving it back twice is the same as once. A called
place that is given back no longer counts as answered, so that its turn goes to somebody else.

KEYS  as in include/room.lua
ARGV  1 now, 2 joined and 3 called: the highest seen by this edge, 4 epoch of the places, 5… places
Returns JSON {outcome: "seen" | "moved" | "missing", room}.
]]

local room = load()
if not room then
    return MISSING
end
local now = clock()
if room.epoch ~= tonumber(ARGV[4]) then
    advance(room, now, 0, 0)
    save(room)
    return cjson.encode({ outcome = 'moved', room = picture(room) })
end
advance(room, now, tonumber(ARGV[2]), tonumber(ARGV[3]))
for index = 5, #ARGV do
    local place = tonumber(ARGV[index])
    if redis.call('SETBIT', LEFT, place, 1) == 0 then
        room.left = room.left + 1
        if place <= room.called and redis.call('GETBIT', ADMITTED, place) == 0 then
            redis.call('SETBIT', ANSWERED, place, 0)
        end
    end
end
save(room)
return cjson.encode({ outcome = 'seen', room = picture(room) })
