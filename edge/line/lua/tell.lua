--[[
Put events into a room's outbox, and what was seen with them: both or neither.

Guarantee: only the holder of the lease tells what it has seen; whoever comes late changes nothing, so that events and
memory never part. An event whose id is there stays as it is: telling again, or putting back what a store has lost, never
makes a second one. The last `most` events are kept.

KEYS  1 outbox (see outbox.lua), 2 lease (see lease.lua)
ARGV  1 now (µs since the Unix epoch; empty for the store's clock), 2 holder, 3 term, 4 what was seen, JSON; empty: events
      are only put back, which needs no lease, 5 most, 6… the events: id, when first put (µs; empty: now), JSON, and so on
Returns JSON {outcome: "told" | "late", dropped}; dropped: how many were pushed out before they were settled.
]]

local OUTBOX, SEEN, MOST = KEYS[1], ARGV[4], tonumber(ARGV[5])
local now = tonumber(ARGV[1])
if not now then
    local time = redis.call('TIME')
    now = tonumber(time[1]) * 1000000 + tonumber(time[2])
end
if SEEN ~= '' then
    local lease = redis.call('HMGET', KEYS[2], 'holder', 'term', 'until')
    if lease[1] ~= ARGV[2] or lease[2] ~= ARGV[3] or now >= tonumber(lease[3] or 0) then
        return '{"outcome":"late","dropped":0}'
    end
    redis.call('HSET', OUTBOX, 'seen', SEEN)
end
local ends = redis.call('HMGET', OUTBOX, 'last', 'next')
local last, next, dropped = tonumber(ends[1] or 0), tonumber(ends[2] or 1), 0
for index = 6, #ARGV, 3 do
    local id, put, event = ARGV[index], ARGV[index + 1], ARGV[index + 2]
    if redis.call('HSETNX', OUTBOX, 'id:' .. id, last + 1) == 1 then
        last = last + 1
        put = put ~= '' and put or string.format('%.0f', now)
        redis.call('HSET', OUTBOX, 'event:' .. last, '{"put_us":' .. put .. ',"event":' .. event .. '}')
        local old = last - MOST
        local record = redis.call('HGET', OUTBOX, 'event:' .. old)
        if record then
            redis.call('HDEL', OUTBOX, 'event:' .. old, 'fate:' .. old, 'id:' .. cjson.decode(record).event.id)
        end
        if next <= old then
            next, dropped = old + 1, dropped + 1
        end
    end
end
redis.call('HSET', OUTBOX, 'last', last, 'next', next)
return '{"outcome":"told","dropped":' .. dropped .. '}'
