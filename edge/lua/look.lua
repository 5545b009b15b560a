--[[
Say where places stand, and note that the holders of called ones have been heard from. With no place: the room alone.

Guarantee: reads only, but for the meters and the "answered" bits; asking twice changes nothing.

KEYS  as in include/room.lua
ARGV  1 now, 2 joined and 3 called: the highest seen by this edge, 4 epoch of the places, 5… places
Returns JSON {outcome: "seen" | "moved" | "missing", standings: ["waiting" | "called" | "admitted" | "left", …], room}.
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
local standings = {}
for index = 5, #ARGV do
    local place = tonumber(ARGV[index])
    local standing = 'waiting'
    if redis.call('GETBIT', LEFT, place) == 1 then
        standing = 'left'
    elseif place <= room.called then
        answer(room, place)
        standing = redis.call('GETBIT', ADMITTED, place) == 1 and 'admitted' or 'called'
    end
    standings[#standings + 1] = standing
end
save(room)
local reply = { outcome = 'seen', room = picture(room) }
if #standings > 0 then -- an empty table would become an object
    reply.standings = standings
end
return cjson.encode(reply)
