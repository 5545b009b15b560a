--[[
Put rooms on the register: the plans of the rooms that operators created, in one hash.

Guarantee: a plan that is on the register is never replaced, and there are never more than `most`. A register that the
store has lost takes no new room until `heal_us` have passed: by then every edge that lives has put back what it knows,
so an id that is taken stays taken. What is put back is never refused.

KEYS  1 register: hash of a room's id to its entry (JSON), besides `_version`, which rises with every addition, and
                  `_born`, when the register came to be (both µs since the Unix epoch)
ARGV  1 now (µs; empty for the store's clock), 2 "create" | "restore", 3 heal_us, 4 most,
      5… rooms: an id, its entry, and so on; "create" takes one
Returns text: "created" | "exists" | "full" | "healing" | "restored".
]]

local now = tonumber(ARGV[1])
if not now then
    local time = redis.call('TIME')
    now = tonumber(time[1]) * 1000000 + tonumber(time[2])
end
local NEITHER = 2 -- fields that are no room

local function text(number)
    return string.format('%.0f', number)
end

local function rise()
    local before = tonumber(redis.call('HGET', KEYS[1], '_version') or 0)
    redis.call('HSET', KEYS[1], '_version', text(math.max(before + 1, now)))
end

if redis.call('HSETNX', KEYS[1], '_born', text(now)) == 1 then
    rise()
end
if ARGV[2] == 'restore' then
    for index = 5, #ARGV, 2 do
        if redis.call('HSETNX', KEYS[1], ARGV[index], ARGV[index + 1]) == 1 then
            rise()
        end
    end
    return 'restored'
end
if redis.call('HEXISTS', KEYS[1], ARGV[5]) == 1 then
    return 'exists'
end
if now < tonumber(redis.call('HGET', KEYS[1], '_born')) + tonumber(ARGV[3]) then
    return 'healing'
end
if redis.call('HLEN', KEYS[1]) - NEITHER >= tonumber(ARGV[4]) then
    return 'full'
end
redis.call('HSET', KEYS[1], ARGV[5], ARGV[6])
rise()
return 'created'
