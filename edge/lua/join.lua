--[[
Give the next places of the line to visitors who arrived together.

Guarantee: a place is given once; visitors of one call get consecutive places in their order; a refusal burns none.

KEYS  as in include/room.lua
ARGV  1 now, 2 joined and 3 called: the highest seen by this edge, 4 epoch the edge signs tickets for, 5 visitors
Returns JSON {outcome: "joined" | "closed" | "moved" | "healing" | "missing", first, room}; `first` is the place of the
first of them. "moved": the room has another epoch, which the picture names.
]]

local room, refusal = begin()
if not room then
    return refusal
end
if room.state == 'closed' or room.held == 'sold_out' then
    return told('closed', room)
end
local first = room.joined + 1
room.joined = room.joined + tonumber(ARGV[5])
call(room)
return told('joined', room, { first = first })
