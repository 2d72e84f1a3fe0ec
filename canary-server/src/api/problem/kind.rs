//! The kinds of problems: their words, statuses and meanings, in one table.

/// What kind of problem it is; its word is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    NotJson,
    NotUuid,
    BadGzip,
    Unauthorized,
    Forbidden,
    Invalid,
    InvalidParameter,
    UnknownProduct,
    UnknownVersion,
    UnknownRelease,
    NoActiveRelease,
    UnknownType,
    UnknownReadingType,
    NoReadings,
    UnknownKey,
    TooOld,
    UnknownPath,
    MethodNotAllowed,
    Taken,
    Conflict,
    BodyTooLarge,
    UnsupportedMediaType,
    Misdirected,
    KeyReused,
    Busy,
    Unavailable,
    Internal,
}

impl Kind {
    /// Every kind: word, status, title, and what it means for a person.
    pub(crate) const ALL: [(Self, &'static str, u16, &'static str, &'static str); 27] = [
        (
            Self::NotJson,
            "not_json",
            400,
            "The body is not JSON",
            "The body could not be read as JSON. The detail says at which line and column. Nothing was stored.",
        ),
        (
            Self::NotUuid,
            "not_uuid",
            400,
            "Not a UUID",
            "An identifier in the path is not a UUID, for example 6f1c0a52-5b0e-4c3e-9a44-0d0c4a1a7c11.",
        ),
        (
            Self::BadGzip,
            "bad_gzip",
            400,
            "The body is not gzip",
            "The body is announced with Content-Encoding: gzip and cannot be unpacked. Nothing was stored.",
        ),
        (
            Self::Unauthorized,
            "unauthorized",
            401,
            "A key is needed",
            "The request has no key, or one that opens nothing: it is unknown, was revoked, or has expired. Send one as `Authorization: Bearer canary_…`. Keys are made with POST /key, or with `canary key create` beside the database.",
        ),
        (
            Self::Forbidden,
            "forbidden",
            403,
            "The key may not do this",
            "The key has not the scope that this needs; the detail names it. Scopes are read, signal, release, rollback and admin. A key with more of them is made with POST /key by the holder of one with the scope admin.",
        ),
        (
            Self::Invalid,
            "invalid",
            422,
            "A value cannot be accepted",
            "The body is JSON, and at least one of its values cannot be accepted. The list `errors` names each of them with a JSON pointer and the limit it broke. Nothing was stored.",
        ),
        (
            Self::InvalidParameter,
            "invalid_parameter",
            422,
            "A parameter cannot be accepted",
            "A parameter of the query or a header cannot be accepted. The detail names it and its limit.",
        ),
        (
            Self::UnknownProduct,
            "unknown_product",
            404,
            "Unknown product",
            "No product has this name, identifier or artifact_url. Register it with POST /product.",
        ),
        (
            Self::UnknownVersion,
            "unknown_version",
            404,
            "Unknown version",
            "The product has no release with this version. Versions are compared to the letter. Register it with POST /release.",
        ),
        (
            Self::UnknownRelease,
            "unknown_release",
            404,
            "Unknown release",
            "No release has this identifier. GET /release lists them.",
        ),
        (
            Self::NoActiveRelease,
            "no_active_release",
            404,
            "No active release",
            "The product has no release to hand out: none was registered, or its only canary was rolled back. Register one with POST /release.",
        ),
        (
            Self::UnknownType,
            "unknown_type",
            422,
            "Unknown type of readings",
            "No type of readings has this name, or none was named where one is needed. The detail lists the declared ones; declare more with PUT /reading-type/{name}.",
        ),
        (
            Self::UnknownReadingType,
            "unknown_reading_type",
            404,
            "Unknown type of readings",
            "No type of readings has this name. GET /reading-type lists them, PUT /reading-type/{name} declares one.",
        ),
        (
            Self::NoReadings,
            "no_readings",
            404,
            "No readings",
            "No reading of this type lies in the range that was asked for: the device may be unknown, may have sent none of this type, or none at that time. Both ends of a range are included, in seconds since 1970.",
        ),
        (
            Self::UnknownKey,
            "unknown_key",
            404,
            "Unknown key",
            "No key of the organization has this identifier. GET /key lists them.",
        ),
        (
            Self::TooOld,
            "too_old",
            422,
            "The reading is too old",
            "Readings are kept for a time, and this one is older than that: it would be gone at once. The detail says from when on readings are taken.",
        ),
        (
            Self::UnknownPath,
            "unknown_path",
            404,
            "Unknown path",
            "The server has no such path. The document at /openapi.json lists all of them.",
        ),
        (
            Self::MethodNotAllowed,
            "method_not_allowed",
            405,
            "Method not allowed",
            "The path exists, and not with this method. The document at /openapi.json lists the methods of each path.",
        ),
        (
            Self::Taken,
            "taken",
            409,
            "Already registered",
            "A name, an artifact_url or a version is taken. Each product has a name and an artifact_url of its own, each version of a product is registered once, and each organization, and each key in force, has a name of its own.",
        ),
        (
            Self::Conflict,
            "conflict",
            409,
            "Not in this state",
            "The action makes no sense in the state that the release, the type of readings or the key is in. The detail says which state that is and what to do instead. Nothing has changed.",
        ),
        (
            Self::BodyTooLarge,
            "body_too_large",
            413,
            "The body is too large",
            "The body is larger than this path accepts, packed or unpacked. Send smaller batches. Nothing was stored.",
        ),
        (
            Self::UnsupportedMediaType,
            "unsupported_media_type",
            415,
            "Unsupported media type",
            "The body's Content-Type, or its Content-Encoding, is not one that this path reads; the detail names those that it reads. Most paths read application/json. curl announces what comes with -d as application/x-www-form-urlencoded: add -H 'Content-Type: application/json'.",
        ),
        (
            Self::KeyReused,
            "key_reused",
            422,
            "Idempotency key used before",
            "The Idempotency-Key came before with another body. A key stands for one request: make a new one for each.",
        ),
        (
            Self::Misdirected,
            "misdirected",
            421,
            "Another server does this",
            "This server does another part of the work, and the detail names the role that is needed. Send the request to a server with that role: started with `canary serve --role`, or with none, which does everything. Nothing of the request was stored.",
        ),
        (
            Self::Busy,
            "busy",
            503,
            "Try again later",
            "The server is full, starting or stopping. Nothing of the request was stored; send it again after the seconds of the Retry-After header.",
        ),
        (
            Self::Unavailable,
            "unavailable",
            503,
            "The database does not answer",
            "The server cannot reach its database, which may be starting, or the database would take too long. Send the request again after the seconds of the Retry-After header. Rarely, when the detail says so, it may have been stored all the same: with the same id or Idempotency-Key nothing is stored twice.",
        ),
        (
            Self::Internal,
            "internal",
            500,
            "A fault of the server",
            "Something failed inside the server. Nothing was acknowledged. The cause is in the server's log under the request_id.",
        ),
    ];

    pub(super) fn row(self) -> (&'static str, u16, &'static str) {
        let row = Self::ALL.iter().find(|(kind, ..)| *kind == self);
        // Every kind has its row: a test goes through them.
        row.map_or(("internal", 500, "A fault of the server"), |(_, code, status, title, _)| {
            (code, *status, title)
        })
    }
}
