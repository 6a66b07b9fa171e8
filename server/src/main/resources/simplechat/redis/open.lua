-- A node comes in, or catches up with what it can not read any more: makes the room if there is none,
-- or none that can be used, and returns who is in it.
-- ARGV: epoch that is found to be broken or empty, epoch for a new one, node, lease in ms, lease
-- prefix.
-- Returns epoch, end, id of the last entry, the last request taken, and of each session its token,
-- node, claim, count, for how many ms it is lost, and name; or -2 if the lease is over.
local broken, new_epoch, node, leases = ARGV[1], ARGV[2], ARGV[3], ARGV[5]

local head = redis.call('HMGET', room, 'epoch', 'end', 'version')
if not head[1] or head[1] == broken or head[3] ~= VERSION or not is_stream() then
  local known = redis.pcall('HKEYS', nodes)
  for _, other in ipairs(known.err and {} or known) do
    redis.call('DEL', leases .. other)
  end
  redis.call('DEL', room, log, names, sessions, counts, lost, nodes, lease)
  redis.call('HSET', room, 'epoch', new_epoch, 'end', 0, 'version', VERSION)
  redis.call('XADD', log, '*', 'h', VERSION .. ' 0 E ' .. node .. ' 0 - 0 0 0 -', 'x', '')
  head = { new_epoch, '0', VERSION }
end
if redis.call('HSETNX', nodes, node, 0) == 1 then
  redis.call('SET', lease, '', 'PX', ARGV[4])
elseif redis.call('PEXPIRE', lease, ARGV[4]) == 0 then
  return { -2 }
end
local last_id
local info = redis.call('XINFO', 'STREAM', log)
for i = 1, #info, 2 do
  if info[i] == 'last-generated-id' then
    last_id = info[i + 1]
  end
end
local reply = { head[1], head[2], last_id, redis.call('HGET', nodes, node) }
for _, token in ipairs(redis.call('HKEYS', sessions)) do
  local session = session_of(token)
  local since = redis.call('ZSCORE', lost, token)
  reply[#reply + 1] = token
  reply[#reply + 1] = session.node
  reply[#reply + 1] = session.claim
  reply[#reply + 1] = redis.call('HGET', counts, token) or '0'
  reply[#reply + 1] = since and whole(now - tonumber(since)) or '0'
  reply[#reply + 1] = session.name
end
return reply
