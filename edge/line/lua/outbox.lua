--[[
Read a room's outbox: what was seen last, and what is still to be delivered, in its order.

KEYS  1 outbox    hash: `seen`, JSON of the last look; `gone`, the address that wants nothing more; `last` and `next`, the
                  numbers of the newest event and of the first that is not settled; for each number `event:…`, JSON
                  {put_us, event}, and `fate:…` once it is settled; for each event's id `id:…`, its number
ARGV  1 now (µs since the Unix epoch; empty for the store's clock)
Returns JSON {now_us, seen, gone, pending: [{put_us, event}]}; seen is null where nothing was ever told, or all was lost.
]]

local now = ARGV[1]
if now == '' then
    local time = redis.call('TIME')
    now = string.format('%.0f', tonumber(time[1]) * 1000000 + tonumber(time[2]))
end
local kept = redis.call('HMGET', KEYS[1], 'seen', 'gone', 'last', 'next')
local pending = {}
for number = tonumber(kept[4] or 1), tonumber(kept[3] or 0) do
    pending[#pending + 1] = redis.call('HGET', KEYS[1], 'event:' .. number)
end
return '{"now_us":' .. now .. ',"seen":' .. (kept[1] or 'null') .. ',"gone":"' .. (kept[2] or '')
    .. '","pending":[' .. table.concat(pending, ',') .. ']}'
