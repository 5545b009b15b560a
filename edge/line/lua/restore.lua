--[[
Put rows back into a room's log that the store has lost.

Guarantee: a row that is there is never changed, whatever is said to have stood in its place.

KEYS  1 log: hash of rows by version
ARGV  a version, its row, and so on
Returns how many rows were not there.
]]

local restored = 0
for index = 1, #ARGV, 2 do
    restored = restored + redis.call('HSETNX', KEYS[1], ARGV[index], ARGV[index + 1])
end
return restored
