--[[
Use marks of one batch that work once.

Guarantee: of all attempts to use a mark one succeeds, as long as the batch is kept. No clock but the store's own expiry.

KEYS  1 batch     bitmap, bit = number: has been used
ARGV  1 seconds that the batch is kept from now on, 2… numbers
Returns text, a character for each number in their order: "1" this was the first time, "0" it was used before.
]]

local answers = {}
for index = 2, #ARGV do
    answers[#answers + 1] = redis.call('SETBIT', KEYS[1], ARGV[index], 1) == 0 and '1' or '0'
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return table.concat(answers)
