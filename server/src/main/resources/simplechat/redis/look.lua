-- A node looks whether all is as it left it, and says that it lives. It also buries nodes that do not,
-- and forgets sessions whose time to come back is over.
-- ARGV: epoch, node, id of the last entry read, position behind it, lease in ms, maxlen, window in ms,
-- lease prefix.
-- Returns 0, the end, and the last request taken; or -1 another epoch or another stream, -2 the
-- lease is over.
local epoch, node, read, read_end = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
maxlen = ARGV[6]
local window, leases = tonumber(ARGV[7]), ARGV[8]
local BURIED_AT_ONCE, FORGOTTEN_AT_ONCE = 500, 500

local head = redis.call('HMGET', room, 'epoch', 'end')
if head[1] ~= epoch or not is_stream() then
  return { -1 }
end
position = tonumber(head[2])

local function parts(id)
  local ms, number = id:match('^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(number)
end

-- True if what was read is still there, or was trimmed and nothing else.
local function is_intact()
  local all = redis.call('HLEN', sessions)
  if position < read_end
    or redis.call('HLEN', counts) ~= all
    or redis.call('HLEN', names) + redis.call('ZCARD', lost) ~= all then
    return false
  end
  if #redis.call('XRANGE', log, read, read) == 1 then
    return true
  end
  local oldest = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
  local ms, number = parts(read)
  local other = oldest and oldest[1]
  if not other then
    local info = redis.call('XINFO', 'STREAM', log)
    for i = 1, #info, 2 do
      if info[i] == 'last-generated-id' then
        other = info[i + 1]
      end
    end
  end
  local other_ms, other_number = parts(other)
  return other_ms > ms or (other_ms == ms and other_number >= number)
end

if not is_intact() then
  return { -1 }
end
if redis.call('PEXPIRE', lease, ARGV[5]) == 0 then
  return { -2 }
end

local before = position
for _, other in ipairs(redis.call('HKEYS', nodes)) do
  if redis.call('EXISTS', leases .. other) == 0 then
    local buried = 0
    local all = redis.call('HKEYS', sessions)
    for _, token in ipairs(all) do
      local session = buried < BURIED_AT_ONCE and session_of(token)
      if session and session.node == other then
        leave(token, session, 1, node .. ' 0', true)
        buried = buried + 1
      end
    end
    if buried < BURIED_AT_ONCE then
      redis.call('HDEL', nodes, other)
    end
  end
end
for _, token in ipairs(
  redis.call('ZRANGEBYSCORE', lost, '-inf', whole(now - window), 'LIMIT', 0, FORGOTTEN_AT_ONCE)) do
  forget(token)
end
if position ~= before then
  redis.call('HSET', room, 'end', whole(position))
end
return { 0, whole(position), redis.call('HGET', nodes, node) or '0' }
