--[[
Do what a room's governor has decided: the rate, whether people are called, how many doses are left.

Guarantee: only the holder of the lease acts, and only on the room it has looked at: a lease that has passed on, or
settings that were changed since, make it "late", and nothing happens. The time until now is settled under the old settings
first: no change creates tokens. What operators set (state, bounds, burst) is never touched.

KEYS  as in include/room.lua, and last the lease (see lease.lua)
ARGV  REST holder, +1 term, +2 version of the settings that were looked at, +3 why nobody is called (empty: people are),
      +4 doses left (empty: not known), +5 rate (empty: stays)
Returns JSON {outcome: "governed" | "late" | "missing", room}.
]]

local room = load()
if not room then
    return MISSING
end
local now = clock()
advance(room, now)
local lease = redis.call('HMGET', KEYS[#KEYS], 'holder', 'term', 'until')
local theirs = lease[1] == ARGV[REST] and lease[2] == ARGV[REST + 1] and now < tonumber(lease[3] or 0)
if not theirs or string.format('%.0f', room.version) ~= ARGV[REST + 2] then
    return told('late', room)
end
local held, rate = ARGV[REST + 3], tonumber(ARGV[REST + 5]) or room.rate
if rate ~= room.rate or room.held ~= held then
    if rate < room.rate or room.held ~= '' then
        slower(room, 'lost_capacity')
    end
    local parts = least_parts(room)
    room.rate, room.held = rate, held
    retell(room, parts, 'lost_capacity')
    changed(room, room.at)
end
room.remaining, room.governed_until = tonumber(ARGV[REST + 4]) or -1, now + GOVERNED_US
return told('governed', room)
