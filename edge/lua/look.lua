--[[
Say where places stand, and note that the holders of called ones have been heard from. With no place: the room alone.

Guarantee: reads only, but for the meters and the "answered" bits; asking twice changes nothing.

KEYS  as in include/room.lua
ARGV  1 now, 2 joined and 3 called: the highest seen by this edge, 4 epoch of the places, 5… places
Returns JSON {outcome: "seen" | "moved" | "healing" | "missing", standings: ["waiting" | "called" | "admitted" | "left", …], room}.
]]

local room, refusal = begin()
if not room then
    return refusal
end
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
-- An empty table would become an object in JSON.
return told('seen', room, #standings > 0 and { standings = standings } or nil)
