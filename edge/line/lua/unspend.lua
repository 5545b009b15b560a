--[[
Make a mark that works once good again.

Guarantee: a batch that the store does not have is not made, for it would never expire.

KEYS  1 batch     bitmap, bit = number: has been used
ARGV  1 number
Returns nothing.
]]

if redis.call('EXISTS', KEYS[1]) == 1 then
    redis.call('SETBIT', KEYS[1], ARGV[1], 0)
end
