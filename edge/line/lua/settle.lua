--[[
Write down what became of the first event that is not settled: delivered, or given up.

Guarantee: events are settled in their order, each once. It needs no lease: what was delivered was delivered, whoever has
the lease by now.

KEYS  1 outbox (see outbox.lua)
ARGV  1 now (µs since the Unix epoch; empty for the store's clock), 2 the event's id, 3 its fate, 4 the address that wants
      nothing more; empty: stays
Returns "settled", or "late": it is settled already, or not known here.
]]

local now = ARGV[1]
if now == '' then
    local time = redis.call('TIME')
    now = string.format('%.0f', tonumber(time[1]) * 1000000 + tonumber(time[2]))
end
if ARGV[4] ~= '' then
    redis.call('HSET', KEYS[1], 'gone', ARGV[4])
end
local number = redis.call('HGET', KEYS[1], 'id:' .. ARGV[2])
local next = tonumber(redis.call('HGET', KEYS[1], 'next') or 1)
if not number or tonumber(number) ~= next then
    return 'late'
end
redis.call('HSET', KEYS[1], 'fate:' .. number, ARGV[3] .. ' ' .. now, 'next', next + 1)
return 'settled'
