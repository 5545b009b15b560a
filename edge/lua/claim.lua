--[[
Let called visitors through, as far as the token bucket goes.

Guarantee: in any interval T at most rate · T + burst places are admitted, over all edges. A place takes one token,
however often it is claimed: from the second time on the answer is "admitted" again, and costs nothing. Whoever is
"paced" keeps the turn. Places that were not called, or were given back, are never admitted.

KEYS  as in include/room.lua
ARGV  1 now, 2 joined and 3 called: the highest seen by this edge, 4 epoch of the places, 5… places, served in order
Returns JSON {outcome: "seen" | "moved" | "healing" | "missing",
              claims: ["admitted" | "again" | "paced" | "waiting" | "left" | "closed", …], room}.
]]

local room, refusal = begin()
if not room then
    return refusal
end

local function admit(place)
    if not flows(room) or room.tokens < 1 then
        return 'paced'
    end
    room.tokens = room.tokens - 1
    room.admitted = room.admitted + 1
    redis.call('SETBIT', ADMITTED, place, 1)
    return 'admitted'
end

local function claim(place)
    if redis.call('GETBIT', LEFT, place) == 1 then
        return 'left'
    elseif room.state == 'closed' then
        return 'closed'
    elseif place > room.called then
        return 'waiting'
    end
    answer(room, place)
    if redis.call('GETBIT', ADMITTED, place) == 1 then
        return 'again'
    end
    return admit(place)
end

local claims = {}
for index = 5, #ARGV do
    claims[#claims + 1] = claim(tonumber(ARGV[index]))
end
return told('seen', room, { claims = claims })
