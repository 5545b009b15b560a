--[[
Take the lease of a room's governor, keep it, or give it up.

Guarantee: one holder at a time, on the store's clock. Each time the lease goes to somebody the term is higher than it
ever was, also after the store has lost everything; whoever acts names holder and term (see govern.lua), so that a holder
who comes too late changes nothing.

KEYS  1 lease: hash of holder, term (µs since the Unix epoch) and until (µs)
ARGV  1 now (µs; empty for the store's clock), 2 who asks, 3 for how long in µs; 0 gives the lease up
Returns the term as text where the lease is theirs, else an empty text.
]]

local now = tonumber(ARGV[1])
if not now then
    local time = redis.call('TIME')
    now = tonumber(time[1]) * 1000000 + tonumber(time[2])
end
local kept = redis.call('HMGET', KEYS[1], 'holder', 'term', 'until')
local term, expires = tonumber(kept[2] or 0), tonumber(kept[3] or 0)
local ours = kept[1] == ARGV[2] and now < expires
if not ours and now < expires then
    return ''
end
if ARGV[3] == '0' then
    redis.call('HSET', KEYS[1], 'until', '0')
    return ''
end
if not ours then
    term = math.max(term + 1, now)
end
local text = string.format('%.0f', term)
redis.call('HSET', KEYS[1], 'holder', ARGV[2], 'term', text, 'until', string.format('%.0f', now + tonumber(ARGV[3])))
return text
