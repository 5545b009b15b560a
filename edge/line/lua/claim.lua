--[[
Let called visitors through, as far as the token bucket goes.

Guarantee: in any interval T at most rate · T + burst places are admitted, over all lanes and edges; those that pass by
the line have a bucket of their own, of which the same is true. A place takes one token, however often it is claimed:
later the answer is "again", which costs nothing; long after the call it is counted, and "spent" after three times.
Whoever is "paced" keeps the turn. Places that were not called, or whose ticket was given back, are never admitted.
What a lane's floor keeps for people of it who are here is not given to other lanes, as long as the bucket is not full.

KEYS  as in include/room.lua
ARGV  REST… tickets, served in order
Returns JSON {outcome: "seen" | "moved" | "healing" | "missing",
              claims: ["admitted" | "again" | "spent" | "paced" | "waiting" | "left" | "closed", …], room}.
]]

local MOST_ENTRIES = 3

local room, refusal = begin()
if not room then
    return refusal
end

-- Tokens that are kept for other lanes. A full bucket says that those for whom it was kept have gone away again: then
-- nothing is, until there has been time to make it anew. (With a burst of 1 it is always full, and a floor keeps nothing.)
local function kept_from(lane)
    local kept, is_full = 0, room.tokens >= room.burst
    for _, other in ipairs(room.lanes) do
        if other ~= lane and is_full then
            other.reserve = 0
        elseif other ~= lane and other.floor > 0 and other.reserve >= 1 and not bypasses(room, other) then
            kept = kept + math.min(math.floor(other.reserve), backlog(room, other))
        end
    end
    return kept
end

local function take(lane)
    if bypasses(room, lane) then
        if room.bypass_tokens < 1 then
            return false
        end
        room.bypass_tokens, room.bypassed = room.bypass_tokens - 1, room.bypassed + 1
        return true
    end
    if room.tokens < 1 or (lane.reserve < 1 and room.tokens - kept_from(lane) < 1) then
        return false
    end
    room.tokens, lane.reserve = room.tokens - 1, math.max(0, lane.reserve - 1)
    return true
end

local function admit(lane, place)
    if not flows(room) or not take(lane) then
        return 'paced'
    end
    lane.admitted = lane.admitted + 1
    redis.call('SETBIT', lane.ADMITTED, place, 1)
    return 'admitted'
end

local function enter_again(lane, place)
    if place > lane.settled then
        return 'again'
    end
    local times = redis.call('BITFIELD', lane.ENTERED, 'GET', 'u2', '#' .. place)[1]
    if times >= MOST_ENTRIES then
        return 'spent'
    end
    redis.call('BITFIELD', lane.ENTERED, 'SET', 'u2', '#' .. place, times + 1)
    return 'again'
end

local function claim(lane, number, place)
    if redis.call('GETBIT', lane.LEFT, number) == 1 then
        return 'left'
    elseif phase(room) == 'closed' then
        return 'closed'
    elseif place == 0 or place > lane.called then
        return 'waiting'
    end
    answer(lane, place)
    if redis.call('GETBIT', lane.ADMITTED, place) == 1 then
        return enter_again(lane, place)
    end
    return admit(lane, place)
end

local claims = {}
for lane, number, place in tickets(room) do
    claims[#claims + 1] = claim(lane, number, place)
end
return told('seen', room, { claims = claims })
