-- What every script begins with. All of a room's keys hang together: they are written by these
-- scripts alone, each of which runs whole or not at all.
--
--   room      hash: epoch, end (the next position), version
--   log       stream: h = "version position kind node number token claim what members name", x = text
--   names     hash: folded name -> token of who carries it
--   sessions  hash: token -> node, claim, folded name, name; the node is - if the session is lost
--   counts    hash: token -> number of the last SEND taken
--   lost      sorted set: token by when it was lost, in milliseconds
--   nodes     hash: node -> number of the last request taken
--   lease     of the node that asks; gone when its time is over, and then never made again
local room, log, names, sessions, counts, lost, nodes, lease = unpack(KEYS)
local VERSION = '1'

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local function whole(number)
  return string.format('%.0f', number)
end

local function is_stream()
  return redis.call('TYPE', log).ok == 'stream'
end

local function session_of(token)
  local value = redis.call('HGET', sessions, token)
  if not value then
    return nil
  end
  local node, claim, folded, name = value:match('^([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)$')
  return { node = node, claim = claim, folded = folded, name = name }
end

local function put_session(token, session)
  redis.call('HSET', sessions, token,
    session.node .. '\n' .. session.claim .. '\n' .. session.folded .. '\n' .. session.name)
end

local function forget(token)
  redis.call('HDEL', sessions, token)
  redis.call('HDEL', counts, token)
  redis.call('ZREM', lost, token)
end

-- The end as this script leaves it; written once, by whoever changed it.
local position
local maxlen

-- Without a text there is none; of the kinds only C takes no position.
local function append(kind, by, token, claim, what, name, text)
  local members = redis.call('HLEN', names)
  local header = table.concat(
    { VERSION, whole(position), kind, by, token, claim, what, members, name }, ' ')
  local added = redis.pcall('XADD', log, 'MAXLEN', '~', maxlen, '*', 'h', header, 'x', text)
  if type(added) == 'table' and added.err then
    -- Half of it is done and cannot be undone: this room is over, and every node will find it so.
    redis.call('HSET', room, 'epoch', '')
    error(added.err)
  end
  if kind ~= 'C' then
    position = position + 1
  end
end

-- The session's member goes; the session stays if it may come back.
local function leave(token, session, why, by, may_return)
  redis.call('HDEL', names, session.folded)
  append('L', by, token, session.claim, why, session.name, '')
  if may_return then
    session.node = '-'
    put_session(token, session)
    redis.call('ZADD', lost, whole(now), token)
  else
    forget(token)
  end
end
