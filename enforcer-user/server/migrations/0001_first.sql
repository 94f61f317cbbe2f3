-- Times are microseconds since 1970. Addresses and MAC addresses are canonical text.

CREATE TABLE token (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('agent', 'gateway')),
    -- The zone of what is reported with it; gateways hear of every zone.
    zone       TEXT CHECK ((zone IS NULL) = (kind = 'gateway')),
    -- SHA-256 of the secret: the secret itself is shown once and kept nowhere.
    hash       BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    used_at    INTEGER,
    revoked_at INTEGER
) STRICT;

-- A name may be used again once its token is revoked.
CREATE UNIQUE INDEX token_name ON token (name) WHERE revoked_at IS NULL;

CREATE TABLE endpoint (
    id              TEXT PRIMARY KEY,
    -- The token that owns this identifier: no other may report for it.
    token           INTEGER NOT NULL REFERENCES token (id),
    reported_at     INTEGER NOT NULL,
    -- NULL once the report has run out.
    valid_until     INTEGER,
    -- The end that gateways were told last.
    announced_until INTEGER,
    decision        TEXT NOT NULL
) STRICT;

CREATE INDEX endpoint_valid_until ON endpoint (valid_until) WHERE valid_until IS NOT NULL;

-- Apart from the endpoint, so that a report that repeats the last one rewrites a short row only.
CREATE TABLE posture (
    endpoint TEXT PRIMARY KEY REFERENCES endpoint (id) ON DELETE CASCADE,
    document TEXT NOT NULL
) STRICT;

-- Where an endpoint may be met: the address it was observed at (mac NULL) and those it claims.
CREATE TABLE address (
    endpoint TEXT NOT NULL REFERENCES endpoint (id) ON DELETE CASCADE,
    zone     TEXT NOT NULL,
    address  TEXT NOT NULL,
    mac      TEXT
) STRICT;

CREATE INDEX address_endpoint ON address (endpoint);
CREATE INDEX address_host ON address (zone, address);

-- What gateways are told, newest last; the highest revision is the current one. A row without a
-- line says nothing: it marks the start of a server.
CREATE TABLE change (
    revision INTEGER PRIMARY KEY,
    line     TEXT
) STRICT;

CREATE TABLE audit (
    id      INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    uid     INTEGER NOT NULL,
    action  TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail  TEXT NOT NULL
) STRICT;
