--[[
Say where tickets stand. With none: the room alone.

Guarantee: changes nothing but the meters; asking twice is as good as once.

KEYS  as in include/room.lua
ARGV  REST… tickets
Returns JSON {outcome: "seen" | "moved" | "healing" | "missing",
              standings: ["entered" | "waiting" | "called" | "admitted" | "left", …], room}.
]]

local room, refusal = begin()
if not room then
    return refusal
end

local function standing(lane, number, place)
    if redis.call('GETBIT', lane.LEFT, number) == 1 then
        return 'left'
    elseif place == 0 then
        return 'entered'
    elseif place > lane.called then
        return 'waiting'
    end
    return redis.call('GETBIT', lane.ADMITTED, place) == 1 and 'admitted' or 'called'
end

local standings = {}
for lane, number, place in tickets(room) do
    standings[#standings + 1] = standing(lane, number, place)
end
-- An empty table would become an object in JSON.
return told('seen', room, #standings > 0 and { standings = standings } or nil)
