-- Takes requests of one node, in its order, each once: all of a call or none.
-- ARGV: epoch, node, number of the first request, maxlen, window in ms, sessions remembered, lease
-- prefix; then for each request its kind and six arguments.
-- Returns for each request 1 done, 0 without effect, 2 the name is taken; or one negative number:
-- -1 another epoch or no stream, -2 the node's lease is over, -3 not the next request (and the last).
local epoch, node, first = ARGV[1], ARGV[2], tonumber(ARGV[3])
maxlen = ARGV[4]
local window, remembered, leases = tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7]
local FIXED, WIDTH = 7, 7

local head = redis.call('HMGET', room, 'epoch', 'end')
if head[1] ~= epoch or not is_stream() then
  return { -1 }
end
if redis.call('EXISTS', lease) == 0 then
  return { -2 }
end
local last = tonumber(redis.call('HGET', nodes, node) or '0')
if first ~= last + 1 then
  return { -3, whole(last) }
end
local requests = (#ARGV - FIXED) / WIDTH
-- The first write, and one that is refused when memory is out: then nothing was done.
redis.call('HSET', nodes, node, whole(last + requests))
position = tonumber(head[2])

local function join(by, token, returning, next_position, folded, name)
  local session = nil
  if returning ~= '' and tonumber(next_position) <= position then
    session = session_of(returning)
    if session and session.folded ~= folded then
      session = nil
    end
    if session and session.node == '-' then
      local since = redis.call('ZSCORE', lost, returning)
      if not since or now - tonumber(since) > window then
        session = nil
      end
    end
  end
  local holder = redis.call('HGET', names, folded)
  if holder and not (session and holder == returning) then
    return 2
  end
  if not session then
    session = { node = node, claim = whole(position), folded = folded, name = name }
    redis.call('HSET', names, folded, token)
    redis.call('HSET', counts, token, 0)
    put_session(token, session)
    append('J', by, token, session.claim, 0, name, '')
    return 1
  end
  if session.node ~= '-' then
    local alive = session.node == node or redis.call('EXISTS', leases .. session.node) == 1
    leave(returning, session, alive and 4 or 1, by, true)
  end
  redis.call('ZREM', lost, returning)
  redis.call('HSET', names, folded, returning)
  session.node = node
  session.claim = whole(position)
  put_session(returning, session)
  append('B', by, returning, session.claim, redis.call('HGET', counts, returning) or 0,
    session.name, '')
  return 1
end

local results = {}
for i = 1, requests do
  local at = FIXED + (i - 1) * WIDTH
  local kind, token, claim, what = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
  local by = node .. ' ' .. whole(last + i)
  local done = 0
  if kind == 'J' then
    done = join(by, token, claim, what, ARGV[at + 5], ARGV[at + 6])
  else
    local session = session_of(token)
    if session and session.node == node and session.claim == claim then
      done = 1
      if kind == 'L' then
        leave(token, session, what, by, what ~= '0' and what ~= '5')
      else
        redis.call('HSET', counts, token, what)
        append(kind, by, token, claim, what, session.name, ARGV[at + 7])
      end
    end
  end
  results[i] = done
end
local over = redis.call('ZCARD', lost) - remembered
if over > 0 then
  for _, token in ipairs(redis.call('ZRANGE', lost, 0, over - 1)) do
    forget(token)
  end
end
redis.call('HSET', room, 'end', whole(position))
return results
