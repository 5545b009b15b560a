--[[
What every script begins with: a room as its hash keeps it. Not a script of its own: the loader puts it in front of each
(a script on Redis cannot call another), followed by meters.lua, which moves the room on in time.

A room has lanes; each is a line with numbers of its own. A ticket has a *number* in its lane, given out in the order of
joining, and a *place*, by which people are called. They are the same but for the entries of a lottery, whose places are
drawn at the opening (edge/lottery.py): the numbers 1 … entries are dealt out anew, later numbers are places as they are.

KEYS[1] room  hash: settings, counters and meters, described at `load`; a lane's begin with its number and a dot
KEYS[2] calls hash: "lane:second modulo (window + 2)" = `called` at the start of that second; "lane:profile", see meters.lua
KEYS[3 …] for each lane four:
        answered  bitmap, bit = place: was called and came
        admitted  bitmap, bit = place: has a token
        left      bitmap, bit = number: gave the ticket back
        entered   two bits a place: how often its holder came in again, long after being called
After these a script may have one key of its own.

ARGV[1] now       µs since the Unix epoch; empty for the store's own clock, which is what production uses
ARGV[2] epoch     of the line that the edge signs tickets for
ARGV[3 …] for each lane two: the highest number (`joined`) and the last called place that this edge has seen
ARGV[REST …] what the script itself takes
]]

local LANES = math.floor((#KEYS - 2) / 4)
local REST = 3 + 2 * LANES
local ROOM, CALLS = KEYS[1], KEYS[2]
local WORDS = { 'state', 'reason', 'challenge', 'held', 'governor', 'discipline', 'seed', 'cause' }
local NUMBERS = {
    'epoch', 'rate', 'burst', 'window', -- settings: tokens/s, tokens, and how long a called visitor has to come, in s
    'prequeue', 'opens', 'closes', -- settings: from when people may join, are called, no longer are, in µs; 0: no such time
    'bypass_rate', 'bypass_burst', -- settings of the second bucket, for lanes that may pass by the line; rate 0: off
    'version', -- when the settings were changed last, in µs: of two versions the higher one is in force
    'revoked_at', -- when the list of revoked passes (field `revoked`, which only the edges read) was changed last, in µs
    'tokens', 'bypass_tokens', 'bypassed', 'at', -- levels of the buckets, tokens ever out of the second, when settled, in µs
    'second', -- last second sampled
    'middle_at', 'settling_at', -- when the marks of places called long ago were moved on, in µs
    'cause_at', -- when `cause`, for which the line goes more slowly than before, came about, in µs
    'remaining', 'governed_until', -- doses left, as the governor said last (-1: not known); until when its word holds, in µs
    'healing_until', -- µs; before it places are not touched, because other edges may know of more of them
}
local LANE_WORDS = { 'why' }
local LANE_NUMBERS = {
    'weight', 'floor', 'opens', 'bypasses', -- settings: its part of the rate, tokens/s at least, from when (µs), may pass by
    'entries', -- setting: how many numbers are entries of the lottery; -1: not drawn yet
    'joined', 'called', 'answered', 'admitted', 'left', -- counters
    'credit', 'reserve', -- levels: of its call meter, and of the tokens that its floor keeps for it
    'show', 'delay', 'pending', 'mark', -- share of the called that come, after s, people on their way; `called` when so learnt
    'measured', 'pace', 'why_at', 'usual', -- calls per token lately; calls/s as waits are told; when that fell, µs; its part then
    'recent', 'middle', -- places called long ago, and not so long ago: where the backlog is looked for
    'settled', 'settling', -- the same, for coming in again
}

local function clock()
    if ARGV[1] ~= '' then
        return tonumber(ARGV[1])
    end
    local time = redis.call('TIME')
    return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

local FIELDS = {}
for _, group in ipairs({ WORDS, NUMBERS }) do
    for _, name in ipairs(group) do
        FIELDS[#FIELDS + 1] = name
    end
end
for index = 1, LANES do
    for _, group in ipairs({ LANE_WORDS, LANE_NUMBERS }) do
        for _, name in ipairs(group) do
            FIELDS[#FIELDS + 1] = index .. '.' .. name
        end
    end
end

-- Call `visit` with each field's table, its name there, and whether it is a number, in the order of FIELDS.
local function each_field(room, visit)
    for _, name in ipairs(WORDS) do
        visit(room, name, false)
    end
    for _, name in ipairs(NUMBERS) do
        visit(room, name, true)
    end
    for index = 1, LANES do
        for _, name in ipairs(LANE_WORDS) do
            visit(room.lanes[index], name, false)
        end
        for _, name in ipairs(LANE_NUMBERS) do
            visit(room.lanes[index], name, true)
        end
    end
end

local function read(values)
    local room, position = { lanes = {} }, 0
    for index = 1, LANES do
        local base = 2 + 4 * (index - 1)
        room.lanes[index] = {
            index = index, ANSWERED = KEYS[base + 1], ADMITTED = KEYS[base + 2],
            LEFT = KEYS[base + 3], ENTERED = KEYS[base + 4],
        }
    end
    each_field(room, function(target, name, is_number)
        position = position + 1
        local value = values[position]
        target[name] = is_number and tonumber(value or 0) or (value or '')
    end)
    return room
end

-- Returns the room as a table, or nil where the store does not know it (never installed, or lost).
local function load()
    local values = redis.call('HMGET', ROOM, unpack(FIELDS))
    return values[1] and read(values) or nil
end

local function save(room)
    local pairs_, position = {}, 0
    each_field(room, function(target, name, is_number)
        position = position + 1
        pairs_[#pairs_ + 1] = FIELDS[position]
        pairs_[#pairs_ + 1] = is_number and string.format('%.17g', target[name]) or target[name]
    end)
    redis.call('HSET', ROOM, unpack(pairs_))
end

-- Set a setting by its field's name; the list of revoked passes is put away, for the edges alone.
local function set(room, field, value)
    if field == 'revoked' then
        redis.call('HSET', ROOM, field, value)
        return
    end
    local index, name = field:match('^(%d+)%.(.+)$')
    local target = index and room.lanes[tonumber(index)] or room
    name = name or field
    if target and target[name] ~= nil then -- a lane of an older plan is gone
        target[name] = type(target[name]) == 'number' and tonumber(value) or value
    end
end

local function changed(room, now)
    room.version = math.max(room.version + 1, now)
end

-- Write the row of a change that has just been made into the log, under the version that the change gave the settings. Where
-- a store whose clock was set back has given that version before, the next: no row is left out, and none is changed.
local function write_down(room, row)
    while redis.call('HSETNX', KEYS[#KEYS], string.format('%.0f', room.version), row) == 0 do
        room.version = room.version + 1
    end
end

-- From now on the line goes more slowly than people were told, for this reason.
local function slower(room, cause)
    room.cause, room.cause_at = cause, room.at
end
