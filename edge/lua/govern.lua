--[[
Do what a room's governor has decided: the rate, whether people are called, how many doses are left.

Guarantee: only the holder of the lease acts, and only on the room it has looked at: a lease that has passed on, or
settings that were changed since, make it "late", and nothing happens. The time until now is settled under the old settings
first: no change creates tokens. What operators set (state, bounds, burst) is never touched.

KEYS  as in include/room.lua, and last the lease (see lease.lua)
ARGV  1 now, 2 joined and 3 called: the highest seen by this edge, 4 holder, 5 term, 6 version of the settings that were
      looked at, 7 why nobody is called (empty: people are), 8 doses left (empty: not known), 9 rate (empty: stays)
Returns JSON {outcome: "governed" | "late" | "missing", room}.
]]

local room = load()
if not room then
    return MISSING
end
local now = clock()
advance(room, now, tonumber(ARGV[2]), tonumber(ARGV[3]))
local lease = redis.call('HMGET', KEYS[#KEYS], 'holder', 'term', 'until')
local theirs = lease[1] == ARGV[4] and lease[2] == ARGV[5] and now < tonumber(lease[3] or 0)
if not theirs or string.format('%.0f', room.version) ~= ARGV[6] then
    return told('late', room)
end
local rate = tonumber(ARGV[9]) or room.rate
if rate ~= room.rate or room.held ~= ARGV[7] then
    room.rate, room.held = rate, ARGV[7]
    room.version = math.max(room.version + 1, room.at)
end
room.remaining, room.governed_until = tonumber(ARGV[8]) or -1, now + GOVERNED_US
return told('governed', room)
