--[[
What every script begins with: a room as its hash keeps it, and how time moves it on.

Not a script of its own: the loader puts it in front of each (a script on Redis cannot call another). There is no ticking
leader; whichever script runs next brings the room up to date, so all edges see one line whatever their number.

KEYS[1] room      hash: settings, counters and meters, described at `load`
KEYS[2] answered  bitmap, bit = place: was called and has been heard from since
KEYS[3] admitted  bitmap, bit = place: has a token
KEYS[4] left      bitmap, bit = place: gave the place back
KEYS[5] calls     hash: `called` at the start of each of the last `window + 2` seconds, by second modulo that

ARGV[1] now       µs since the Unix epoch; empty for the store's own clock, which is what production uses
]]

local ROOM, ANSWERED, ADMITTED, LEFT, CALLS = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local MEMORY = 0.9 -- of one sampled second in the next: the show ratio forgets over some ten seconds
local LEAST_SHOW = 0.25 -- calls never run ahead of tokens by more than four to one
local GOVERNED_US = 60000000 -- what a governor has said holds that long, and no longer: it says it again each second
local WORDS = { 'state', 'reason', 'challenge', 'held', 'governor' }
local NUMBERS = {
    'epoch', 'rate', 'burst', 'window', -- settings: tokens/s, tokens, and how long a called visitor has to answer, in s
    'version', -- when the settings were changed last, in µs: of two versions the higher one is in force
    'joined', 'called', 'answered', 'admitted', 'left', -- counters of places
    'tokens', 'credit', 'at', -- both meters' levels, in tokens and calls, and when they were settled, in µs
    'second', 'asked', 'shown', -- last second sampled; called and answered places, weighted, one window old
    'recent', 'middle', 'middle_at', -- places called long ago, and not so long ago: where the backlog is looked for
    'remaining', 'governed_until', -- doses left, as the governor said last (-1: not known), and until when its word holds, in µs
    'healing_until', -- µs; before it places are not touched, because other edges may know of more of them
}

local function clock()
    if ARGV[1] ~= '' then
        return tonumber(ARGV[1])
    end
    local time = redis.call('TIME')
    return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Returns the room as a table, or nil where the store does not know it (never installed, or lost).
local function load()
    local words = redis.call('HMGET', ROOM, unpack(WORDS))
    if not words[1] then
        return nil
    end
    local room = {}
    for index, name in ipairs(WORDS) do
        room[name] = words[index] or ''
    end
    local numbers = redis.call('HMGET', ROOM, unpack(NUMBERS))
    for index, name in ipairs(NUMBERS) do
        room[name] = tonumber(numbers[index] or 0)
    end
    return room
end

local function save(room)
    local fields = {}
    for _, name in ipairs(WORDS) do
        fields[#fields + 1] = name
        fields[#fields + 1] = room[name]
    end
    for _, name in ipairs(NUMBERS) do
        fields[#fields + 1] = name
        fields[#fields + 1] = string.format('%.17g', room[name])
    end
    redis.call('HSET', ROOM, unpack(fields))
end

local function show(room)
    return math.max(LEAST_SHOW, math.min(1, room.shown / room.asked))
end

-- Whether people are called and let through: operators want it, and the booking system can take them.
local function flows(room)
    return room.state == 'open' and room.held == ''
end

-- Calls per second that make `rate` people show up, as far as the last minute teaches.
local function call_rate(room)
    return flows(room) and room.rate / show(room) or 0
end

-- Places called lately whose holders are here and wait for a token. Looks back four windows at most, and no further than
-- as many places as could be called in that time, so that its cost does not depend on how many there are.
local function backlog(room)
    local reach = math.floor(4 * room.window * room.rate / LEAST_SHOW)
    local first = math.max(room.recent, room.called - reach) + 1
    if room.called < first then
        return 0
    end
    return redis.call('BITCOUNT', ANSWERED, first, room.called, 'BIT')
        - redis.call('BITCOUNT', ADMITTED, first, room.called, 'BIT')
end

-- Learn from the places called in the second that is one window before `second` how many of the called show up.
local function sample(room, second)
    local slots = room.window + 2
    local marks = redis.call('HMGET', CALLS, (second - room.window) % slots, (second - room.window + 1) % slots)
    local first, last = tonumber(marks[1] or 0), tonumber(marks[2] or 0)
    if not marks[1] or not marks[2] or last <= first then
        return
    end
    room.asked = room.asked * MEMORY + (last - first)
    room.shown = room.shown * MEMORY + redis.call('BITCOUNT', ANSWERED, first + 1, last, 'BIT')
end

local function begin_seconds(room, now)
    local second = math.floor(now / 1000000)
    local slots = room.window + 2
    if second < room.second then -- the store's clock was set back
        redis.call('DEL', CALLS)
        room.second = second - 1
    end
    for passed = room.second + 1, math.min(second, room.second + slots) do
        redis.call('HSET', CALLS, passed % slots, string.format('%.0f', room.called))
        sample(room, passed)
    end
    room.second = second
    if now - room.middle_at > 2 * room.window * 1000000 or now < room.middle_at then
        room.recent, room.middle, room.middle_at = room.middle, room.called, now
    end
end

-- Fill both meters for the time that has passed, under the settings that were in force.
-- The bucket holds `burst` at most, and nothing flows in while the room is not open: nothing more is ever banked.
local function settle(room, now)
    local passed = math.max(0, now - room.at) / 1000000
    room.at = now
    if flows(room) then
        room.tokens = math.min(room.burst, room.tokens + passed * room.rate)
        local calls = call_rate(room)
        room.credit = math.min(math.max(room.burst, calls), room.credit + passed * calls)
    end
end

-- Call the next in line, in order, as far as the credit goes; not while many already wait for a token.
local function call(room)
    local next = math.min(math.floor(room.credit), room.joined - room.called)
    if flows(room) and room.at >= room.healing_until and next > 0 and backlog(room) <= 2 * room.rate + 1 then
        room.called = room.called + next
        room.credit = room.credit - next
    end
    room.credit = math.min(room.credit, room.burst)
end

-- Forget what a governor said when nobody has said it again for long: a room is not held by somebody who is gone.
local function expire(room)
    if room.governed_until == 0 then -- never said, or brought back by an edge after a loss
        room.governed_until, room.remaining = room.at + GOVERNED_US, -1
    elseif room.at >= room.governed_until then
        room.held, room.remaining = '', -1
    end
end

-- Bring the room up to `now`. `joined` and `called` never go below what an edge has seen: a store that came back
-- empty or behind is healed by the tickets themselves.
local function advance(room, now, joined, called)
    room.joined = math.max(room.joined, joined, called)
    room.called = math.max(room.called, called)
    settle(room, now)
    expire(room)
    begin_seconds(room, now)
    call(room)
end

-- Note that the holder of a called place has been heard from.
local function answer(room, place)
    if redis.call('SETBIT', ANSWERED, place, 1) == 0 then
        room.answered = room.answered + 1
    end
end

-- The room for people and for Prometheus. `at_us` and `version` are text: they have more digits than a number of this JSON
-- would keep.
local function picture(room)
    return {
        state = room.state, reason = room.reason, challenge = room.challenge, epoch = room.epoch,
        version = string.format('%.0f', room.version),
        held = room.held, governor = room.governor, remaining = room.remaining >= 0 and room.remaining or nil,
        rate = room.rate, burst = room.burst, window = room.window,
        joined = room.joined, called = room.called, answered = room.answered,
        admitted = room.admitted, left = room.left,
        tokens = room.tokens, show = show(room), calls_per_s = call_rate(room), backlog = backlog(room),
        healing = room.at < room.healing_until, at_us = string.format('%.0f', room.at),
    }
end

local function told(outcome, room, more)
    save(room)
    local reply = more or {}
    reply.outcome, reply.room = outcome, picture(room)
    return cjson.encode(reply)
end

local MISSING = '{"outcome":"missing"}'

-- How every act on places begins: load the room and bring it up to date. Returns the room, or nil and the reply that says
-- why nothing can be done: "missing", "moved" (the room has another epoch than ARGV[4]), or "healing" (the store lost the
-- line a moment ago, and other edges have not yet said what they have seen).
local function begin()
    local room = load()
    if not room then
        return nil, MISSING
    end
    local now = clock()
    if room.epoch ~= tonumber(ARGV[4]) then
        advance(room, now, 0, 0)
        return nil, told('moved', room)
    end
    advance(room, now, tonumber(ARGV[2]), tonumber(ARGV[3]))
    if now < room.healing_until then
        return nil, told('healing', room)
    end
    return room
end
