//! The codes with which the server closes a websocket.
//!
//! 1000 to 1015 are RFC 6455's (section 7.4.1); 4000 to 4999 are ours (section 7.4.2 leaves them
//! to applications). The reason text sent beside the code is [`CloseCode::reason`].

/// Why the server closed a websocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CloseCode {
    /// 1001: the server is stopping. Connect again.
    GoingAway,
    /// 1002: bytes that are no websocket frame.
    NotAFrame,
    /// 1003: a binary frame; this protocol speaks text.
    Binary,
    /// 1007: a text frame that is not UTF-8.
    NotUtf8,
    /// 1009: a frame over the size limit.
    TooBig,
    /// 4400: a text frame that is not JSON.
    NotJson,
    /// 4401: JSON, but not an object.
    NotAnObject,
    /// 4402: a known message with a missing or mistyped field.
    BadMessage,
    /// 4403: the client is not who it says, or the session belongs to somebody else.
    Refused,
    /// 4408: nothing was heard from the client for too long.
    Silent,
    /// 4409: a newer socket of the same session took its place. Do not connect again.
    Replaced,
    /// 4413: the client does not read what is written to it.
    TooSlow,
    /// 4429: more messages than the limit allows.
    TooMany,
}

impl CloseCode {
    /// Every close code the server may send, in ascending order.
    pub const ALL: &'static [CloseCode] = &[
        CloseCode::GoingAway,
        CloseCode::NotAFrame,
        CloseCode::Binary,
        CloseCode::NotUtf8,
        CloseCode::TooBig,
        CloseCode::NotJson,
        CloseCode::NotAnObject,
        CloseCode::BadMessage,
        CloseCode::Refused,
        CloseCode::Silent,
        CloseCode::Replaced,
        CloseCode::TooSlow,
        CloseCode::TooMany,
    ];

    /// The number on the wire.
    pub fn number(self) -> u16 {
        match self {
            CloseCode::GoingAway => 1001,
            CloseCode::NotAFrame => 1002,
            CloseCode::Binary => 1003,
            CloseCode::NotUtf8 => 1007,
            CloseCode::TooBig => 1009,
            CloseCode::NotJson => 4400,
            CloseCode::NotAnObject => 4401,
            CloseCode::BadMessage => 4402,
            CloseCode::Refused => 4403,
            CloseCode::Silent => 4408,
            CloseCode::Replaced => 4409,
            CloseCode::TooSlow => 4413,
            CloseCode::TooMany => 4429,
        }
    }

    /// The text that accompanies the number; at most 123 bytes (RFC 6455, 5.5.1).
    pub fn reason(self) -> &'static str {
        match self {
            CloseCode::GoingAway => "The server is stopping; connect again",
            CloseCode::NotAFrame => "The bytes sent are no websocket frame",
            CloseCode::Binary => "Send text frames: this protocol has no binary messages",
            CloseCode::NotUtf8 => "The text frame is not UTF-8",
            CloseCode::TooBig => "The frame is larger than the server accepts",
            CloseCode::NotJson => "The frame is not JSON",
            CloseCode::NotAnObject => "The frame is not a JSON object",
            CloseCode::BadMessage => "A field of the message is missing or has the wrong type",
            CloseCode::Refused => {
                "The authorization is refused, or the session belongs to somebody else"
            }
            CloseCode::Silent => "Nothing was heard from the client for too long",
            CloseCode::Replaced => "Another socket has taken over this session",
            CloseCode::TooSlow => "The client does not read what is sent to it",
            CloseCode::TooMany => "The client sends more messages than the server accepts",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_codes_ascend_and_their_reasons_fit_a_control_frame() {
        assert!(
            CloseCode::ALL
                .windows(2)
                .all(|pair| pair[0].number() < pair[1].number())
        );
        assert!(CloseCode::ALL.iter().all(|code| code.reason().len() <= 123));
    }
}
