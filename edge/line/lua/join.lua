--[[
Give the next numbers of their lanes to visitors who arrived together.

Guarantee: a number is given once; visitors of one call get consecutive numbers of their lane in their order; a refusal
burns none.

KEYS  as in include/room.lua
ARGV  REST… for each lane: visitors
Returns JSON {outcome: "joined" | "moved" | "healing" | "missing", joins: [{first, refused}, …], room}, a join for each lane:
`first` is the number of the first of them; `refused` says why nobody joins: "", "closed", "draining", "scheduled".
"moved": the room has another epoch, which the picture names.
]]

local room, refusal = begin()
if not room then
    return refusal
end

local function refused(lane)
    local now = phase(room, lane)
    if now == 'closed' or room.held == 'sold_out' then
        return 'closed'
    end
    return (now == 'draining' or now == 'scheduled') and now or ''
end

local joins = {}
for index, lane in ipairs(room.lanes) do
    local visitors, why = tonumber(ARGV[REST + index - 1]), refused(lane)
    joins[index] = { first = lane.joined + 1, refused = why }
    if why == '' then
        lane.joined = lane.joined + visitors
    end
end
apportion(room)
call(room)
return told('joined', room, { joins = joins })
