--[[
How time moves a room on: tokens flow, people are called, and the call meter learns how many of the called come.

Tokens: a strict bucket, taken at the claim; in any interval T at most rate · T + burst. Calls run ahead of them, so that
people who do not come waste no capacity: a *base-stock policy*. Whoever has been called and has come but has no token yet
is stock at hand (`backlog`); whoever has been called and will probably come is stock on order (`pending`); people are
called as long as both together stay below what the lane's part of the rate needs until somebody called now is here, and
STOCK_S seconds more. An estimate that is off shifts the stock, and not the flow.

How many come, and after how long, is learnt once a second from all seconds of the last call window (a life table: each
age tells what share of the called had come by then), recent ones counting more: a wave of no-shows is seen within seconds.
"lane:profile" of CALLS keeps the table: for each age in seconds people called and people come, weighted.
]]

local STOCK_S = 3 -- tokens/s for so long wait at the door: what a sudden wave of no-shows is bridged with
local AHEAD = 2 -- calls per second run ahead of the tokens' by that much, until the stock is there
local LEAST_SHOW = 0.25 -- and never by more than four to one
local MEMORY = 0.8 -- of a second in how many come, against the second after it
local TABLE_MEMORY = 0.98 -- of the table in the next second's
local PRIOR = 2 -- people: how much what was believed counts against what is seen
local FIRST_DELAY_S = 4 -- believed of those who come, before anybody has: a page asks every few seconds
local MINUTE_MEMORY = 0.9835 -- of the measured calls per second: half of it is forgotten after 42 s
local FASTER, SLOWER = 1.02, 0.85 -- measured against told, beyond which waits are told anew
local CAUSE_US = 120000000 -- for how long a cause explains that the line goes more slowly
local GOVERNED_US = 60000000 -- what a governor has said holds that long, and no longer: it says it again each second
local SETTLES_US = 60000000 -- coming in again is not counted for one to two times as long after the call

-- When a lane is called: not before the room, and perhaps later.
local function opening(room, lane)
    return math.max(room.opens, lane.opens)
end

-- The phase that visitors see, but for what the booking system behind has to say (`held`).
local function phase(room, lane)
    local opens = lane and opening(room, lane) or room.opens
    if room.state == 'closed' or (room.closes > 0 and room.at >= room.closes) then
        return 'closed'
    elseif room.at < opens then
        return room.prequeue > 0 and room.at >= room.prequeue and 'prequeue' or 'scheduled'
    end
    return room.state
end

-- Seconds within the last `room.at` … now during which people are called and let through.
local function flowed(room, from, now)
    if room.held ~= '' or (room.state ~= 'open' and room.state ~= 'draining') then
        return 0
    end
    local till = room.closes > 0 and math.min(now, room.closes) or now
    return math.max(0, till - math.max(from, room.at)) / 1000000
end

local function flows(room)
    local now = phase(room)
    return room.held == '' and (now == 'open' or now == 'draining')
end

local function bypasses(room, lane)
    return lane.bypasses == 1 and room.bypass_rate > 0
end

-- Tokens/s for each lane of `eligible`: floors first, the rest by weight (water-filling).
local function divide(room, eligible)
    local parts, rest, weight, open = {}, room.rate, 0, {}
    for _, lane in ipairs(eligible) do
        open[lane.index], weight = true, weight + lane.weight
    end
    local again = true
    while again do
        again = false
        for _, lane in ipairs(eligible) do
            if open[lane.index] and weight > 0 and rest * lane.weight / weight < lane.floor then
                parts[lane.index] = math.min(lane.floor, rest)
                rest, weight, open[lane.index], again = rest - parts[lane.index], weight - lane.weight, nil, true
            end
        end
    end
    for _, lane in ipairs(eligible) do
        if open[lane.index] then
            parts[lane.index] = weight > 0 and rest * lane.weight / weight or 0
        end
    end
    return parts
end

-- Each lane's part of the rate (`share`), among those with somebody to call; `least`: with everybody in all of them.
local function apportion(room)
    local waiting, all = {}, {}
    for _, lane in ipairs(room.lanes) do
        if not bypasses(room, lane) then
            all[#all + 1] = lane
            if lane.joined > lane.called and room.at >= opening(room, lane) then
                waiting[#waiting + 1] = lane
            end
        end
    end
    local parts, least = divide(room, waiting), divide(room, all)
    for _, lane in ipairs(room.lanes) do
        lane.share, lane.least = parts[lane.index] or 0, least[lane.index] or 0
    end
end

-- Calls per second while the stock builds up; an idle lane's are those of its least part.
local function call_limit(lane)
    local part = lane.share > 0 and lane.share or lane.least
    return math.min(AHEAD * part / lane.show, part / LEAST_SHOW)
end

-- Places called lately whose holders are here and wait for a token. Looks back four windows at most, and no further than
-- as many places as could be called in that time, so that its cost does not depend on how many there are.
local function backlog(room, lane)
    local reach = math.floor(4 * room.window * room.rate / LEAST_SHOW)
    local first = math.max(lane.recent, lane.called - reach) + 1
    if lane.called < first then
        return 0
    end
    return redis.call('BITCOUNT', lane.ANSWERED, first, lane.called, 'BIT')
        - redis.call('BITCOUNT', lane.ADMITTED, first, lane.called, 'BIT')
end

-- Fill the meters for the time that has passed, under the settings that were in force. A bucket holds its burst at most,
-- and nothing flows in while the room does not flow: nothing more is ever banked.
local function settle(room, now)
    local seconds = flowed(room, room.opens, now)
    room.tokens = math.min(room.burst, room.tokens + seconds * room.rate)
    room.bypass_tokens = math.min(room.bypass_burst, room.bypass_tokens + seconds * room.bypass_rate)
    for _, lane in ipairs(room.lanes) do
        local its = flowed(room, opening(room, lane), now)
        local limit = call_limit(lane)
        lane.credit = math.min(math.max(room.burst, limit), lane.credit + its * limit)
        lane.reserve = math.min(math.max(1, room.burst * lane.floor / room.rate), lane.reserve + its * lane.floor)
    end
    room.at = now
end

local function slot(room, lane, second)
    return lane.index .. ':' .. second % (room.window + 2)
end

-- The share of those who come that has come by each age, from a life table of people called and come: never falling.
local function curve(room, called, come)
    local shares, highest = {}, 0
    local top = called[room.window] > 0 and come[room.window] / called[room.window] or 0
    for age = 1, room.window do
        local by_then = (called[age] > 0 and top > 0) and come[age] / called[age] / top or 1
        highest = math.max(highest, math.min(1, by_then))
        shares[age] = highest
    end
    return shares
end

local function life_table(room, lane)
    local text = redis.call('HGET', CALLS, lane.index .. ':profile')
    if text then
        local kept = cjson.decode(text)
        return kept.called, kept.come
    end
    local called, come = {}, {}
    for age = 1, room.window do
        called[age] = PRIOR
        come[age] = PRIOR * (1 - math.exp(-age / FIRST_DELAY_S))
    end
    return called, come
end

-- People called in each of the last `window` seconds, and how many of them have come: {age, called, come}.
local function generations(room, lane, second)
    local fields = {}
    for age = 0, room.window do
        fields[age + 1] = slot(room, lane, second - age)
    end
    local marks, found = redis.call('HMGET', CALLS, unpack(fields)), {}
    for age = 1, room.window do
        local first, last = tonumber(marks[age + 1] or ''), tonumber(marks[age] or '')
        if first and last and last > first then
            local come = redis.call('BITCOUNT', lane.ANSWERED, first + 1, last, 'BIT')
            found[#found + 1] = { age = age, called = last - first, come = come }
        end
    end
    return found
end

-- Learn how many come, and after how long, and so how many are on their way.
local function learn(room, lane, second)
    local called, come = life_table(room, lane)
    local lately = generations(room, lane, second)
    local shares = curve(room, called, come)
    local expected, seen = PRIOR, PRIOR * lane.show
    for _, each in ipairs(lately) do
        local weight = MEMORY ^ each.age
        if shares[each.age] > 0.2 then
            expected, seen = expected + weight * each.called * shares[each.age], seen + weight * each.come
        end
    end
    lane.show = math.max(LEAST_SHOW, math.min(1, seen / expected))
    for age = 1, room.window do
        called[age], come[age] = called[age] * TABLE_MEMORY, come[age] * TABLE_MEMORY
    end
    for _, each in ipairs(lately) do
        called[each.age], come[each.age] = called[each.age] + each.called, come[each.age] + each.come
    end
    shares = curve(room, called, come)
    lane.delay, lane.pending = 0.5, 0
    for age = 1, room.window do
        lane.delay = lane.delay + 1 - shares[age]
    end
    for _, each in ipairs(lately) do
        lane.pending = lane.pending + each.called * lane.show * (1 - shares[each.age])
    end
    redis.call('HSET', CALLS, lane.index .. ':profile', cjson.encode({ called = called, come = come }))
end

-- Why a lane goes more slowly than people were told. A fall is told in steps; all of them have the reason of the first.
local function cause(room, lane)
    if room.cause ~= '' and room.at - room.cause_at < CAUSE_US then
        return room.cause
    end
    local goes_on = lane.why == 'shared' and room.at - lane.why_at < CAUSE_US
    return (goes_on or lane.share < SLOWER * lane.usual * room.rate) and 'shared' or 'more_show_up'
end

local function tell(room, lane)
    lane.pace, lane.usual = lane.measured * room.rate, lane.share / room.rate
end

-- Measure calls per token of the room, which a changed rate does not change; waits are told by it. What is told only
-- ever grows, or falls with a reason.
local function measure(room, lane, seconds)
    local kept = MINUTE_MEMORY ^ seconds
    lane.measured = lane.measured * kept + (lane.called - lane.mark) / seconds / room.rate * (1 - kept)
    local now = lane.measured * room.rate
    if now > FASTER * lane.pace then
        tell(room, lane)
    elseif now < SLOWER * lane.pace then
        lane.why, lane.why_at = cause(room, lane), room.at
        tell(room, lane)
    end
end

-- The settings were changed. `before`: each lane's least part of the rate until now. Where it has become less, waits are told
-- by what is left at once, and people are told why.
local function retell(room, before, reason)
    apportion(room)
    for index, lane in ipairs(room.lanes) do
        if lane.least < before[index] then
            lane.pace = math.min(lane.pace, math.max(lane.measured * room.rate, lane.least))
            lane.why, lane.why_at = reason, room.at
        end
    end
end

local function least_parts(room)
    local parts = {}
    for index, lane in ipairs(room.lanes) do
        parts[index] = lane.least
    end
    return parts
end

local function move_marks(room)
    local now = room.at
    if now - room.middle_at > 2 * room.window * 1000000 or now < room.middle_at then
        room.middle_at = now
        for _, lane in ipairs(room.lanes) do
            lane.recent, lane.middle = lane.middle, lane.called
        end
    end
    if now - room.settling_at > SETTLES_US or now < room.settling_at then
        room.settling_at = now
        for _, lane in ipairs(room.lanes) do
            lane.settled, lane.settling = lane.settling, lane.called
        end
    end
end

-- People of a lane who are here or on their way, and how many there should be.
local function stock(room, lane)
    local here = backlog(room, lane) + lane.pending + (lane.called - lane.mark) * lane.show
    return here, lane.share * (lane.delay + STOCK_S + room.tokens / room.rate) + 1
end

-- Whether people have been waiting for all of the last second, and the stock is there: only then is a second typical.
local function is_typical(room, lane, passed)
    if lane.share <= 0 or not flows(room) or passed >= room.window then
        return false
    end
    local here, wanted = stock(room, lane)
    return here >= 0.8 * wanted
end

local function begin_seconds(room)
    local second = math.floor(room.at / 1000000)
    if second < room.second then -- the store's clock was set back
        redis.call('DEL', CALLS)
        room.second = second - 1
    end
    local passed = second - room.second
    if passed > 0 then
        for _, lane in ipairs(room.lanes) do
            for each = math.max(room.second + 1, second - room.window - 1), second do
                redis.call('HSET', CALLS, slot(room, lane, each), string.format('%.0f', lane.called))
            end
            if is_typical(room, lane, passed) then
                measure(room, lane, passed)
            end
            learn(room, lane, second)
            lane.mark = lane.called
        end
        room.second = second
    end
    move_marks(room)
end

-- How many of a lane may be called now.
local function callable(room, lane)
    if room.at < opening(room, lane) then
        return 0
    elseif bypasses(room, lane) then
        return lane.joined - lane.called
    end
    local next = math.min(math.floor(lane.credit), lane.joined - lane.called)
    if next <= 0 then
        return 0
    end
    local here, wanted = stock(room, lane)
    return math.max(0, math.min(next, math.floor((wanted - here) / lane.show)))
end

-- Call the next in line, in order.
local function call(room)
    local may = flows(room) and room.at >= room.healing_until
    for _, lane in ipairs(room.lanes) do
        if may then
            local next = callable(room, lane)
            lane.called = lane.called + next
            lane.credit = math.max(0, lane.credit - next)
        end
        lane.credit = math.min(lane.credit, room.burst)
    end
end

-- At a lottery's opening, write down how many entries there are: all that the draw takes.
local function draw(room)
    if room.discipline ~= 'lottery' or room.at < room.healing_until then
        return
    end
    for _, lane in ipairs(room.lanes) do
        if lane.entries < 0 and room.at >= opening(room, lane) then
            lane.entries = lane.joined
            changed(room, room.at)
        end
    end
end

-- Forget what a governor said when nobody has said it again for long: a room is not held by somebody who is gone.
local function expire(room)
    if room.governed_until == 0 then -- never said, or brought back by an edge after a loss
        room.governed_until, room.remaining = room.at + GOVERNED_US, -1
    elseif room.at >= room.governed_until then
        room.held, room.remaining = '', -1
    end
end

-- Bring the room up to `now`. `joined` and `called` never go below what an edge of this epoch has seen: a store that came
-- back empty or behind is healed by the tickets themselves.
local function advance(room, now)
    if room.epoch == tonumber(ARGV[2]) then
        for index, lane in ipairs(room.lanes) do
            local joined, called = tonumber(ARGV[1 + 2 * index]), tonumber(ARGV[2 + 2 * index])
            lane.joined = math.max(lane.joined, joined, called)
            lane.called = math.max(lane.called, called)
        end
    end
    apportion(room)
    settle(room, now)
    expire(room)
    apportion(room)
    begin_seconds(room)
    draw(room)
    call(room)
end

-- Note that the holder of a called place has come.
local function answer(lane, place)
    if redis.call('SETBIT', lane.ANSWERED, place, 1) == 0 then
        lane.answered = lane.answered + 1
    end
end

-- As text: µs have more digits than a number of this JSON would keep.
local function whole(number)
    return string.format('%.0f', number)
end

local function portrait(room, lane)
    return {
        joined = lane.joined, called = lane.called, answered = lane.answered, admitted = lane.admitted, left = lane.left,
        weight = lane.weight, floor = lane.floor, opens = whole(lane.opens), bypasses = lane.bypasses, entries = lane.entries,
        show = lane.show, share = lane.share, least = lane.least, backlog = backlog(room, lane),
        pace = lane.pace, why = lane.why, why_at = whole(lane.why_at), phase = phase(room, lane),
    }
end

-- The room for people and for Prometheus.
local function picture(room)
    local lanes = {}
    apportion(room)
    for index, lane in ipairs(room.lanes) do
        lanes[index] = portrait(room, lane)
    end
    return {
        state = room.state, phase = phase(room), reason = room.reason, challenge = room.challenge, epoch = room.epoch,
        version = whole(room.version), held = room.held, governor = room.governor,
        remaining = room.remaining >= 0 and room.remaining or nil,
        rate = room.rate, burst = room.burst, window = room.window,
        prequeue = whole(room.prequeue), opens = whole(room.opens), closes = whole(room.closes),
        discipline = room.discipline, seed = room.seed,
        bypass_rate = room.bypass_rate, bypass_burst = room.bypass_burst, bypassed = room.bypassed,
        revoked_at = whole(room.revoked_at),
        tokens = room.tokens, lanes = lanes,
        healing = room.at < room.healing_until, healing_until = whole(room.healing_until), at_us = whole(room.at),
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
-- why nothing can be done: "missing", "moved" (the room has another epoch than ARGV[2]), or "healing" (the store lost the
-- line a moment ago, and other edges have not yet said what they have seen; or a lottery's seed is not there yet).
local function begin()
    local room = load()
    if not room then
        return nil, MISSING
    end
    local now = clock()
    advance(room, now)
    if room.epoch ~= tonumber(ARGV[2]) then
        return nil, told('moved', room)
    end
    if now < room.healing_until or (room.discipline == 'lottery' and room.seed == '') then
        return nil, told('healing', room)
    end
    return room
end

-- The tickets that a script was given, three arguments each: lane (from 0), number, place (0: an entry not drawn yet).
local function tickets(room)
    local position = REST - 3
    return function()
        position = position + 3
        if position <= #ARGV then
            return room.lanes[tonumber(ARGV[position]) + 1], tonumber(ARGV[position + 1]), tonumber(ARGV[position + 2])
        end
    end
end
