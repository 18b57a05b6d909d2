//! Meanings of refusals without a response code, from the words that servers are known to use.
//!
//! Each line of the table has a meaning and a text, in lower case, that the refusal contains. The first line that matches
//! decides, so a text that contains another one comes before that one. A response code overrides the words, except if the words
//! say that POP3 is switched off or that another kind of password is required: `[AUTH]` alone would make the user look for a
//! typing error.
// Q47

use memchr::memmem;

/// The meaning of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalMeaning {
    /// A lock, a limit or a temporary fault: the same credentials will work later.
    Later,
    /// POP3 is switched off for the account.
    SwitchedOff,
    /// Another kind of password is required: an app password, an authorization code or a token.
    OtherPassword,
    /// The server does not know the command, its syntax or the mechanism; it did not judge the credentials.
    UnknownCommand,
    /// The name or the password is wrong.
    Credentials,
    /// The server names several causes at once.
    Ambiguous,
}

use RefusalMeaning::{Ambiguous, Credentials, Later, OtherPassword, SwitchedOff, UnknownCommand};

/// The table. Servers send Chinese texts in UTF-8, GBK or Big5.
pub(super) const WORDS: &[(RefusalMeaning, &[u8])] = &[
    // Texts that name every cause (Tencent, Yandex).
    (Ambiguous, b"account is abnormal"),
    (Ambiguous, b"or pop3 disabled"),
    // The kind of password.
    (OtherPassword, b"application-specific"),
    (OtherPassword, b"application password"),
    (OtherPassword, b"app password"),
    (OtherPassword, b"app-specific password"),
    (OtherPassword, b"parol prilozheniya"),
    (OtherPassword, b"authorized code"),
    (OtherPassword, b"authorization code"),
    (OtherPassword, b"weixin token"),
    (OtherPassword, b"web login required"),
    (OtherPassword, b"via a web browser"),
    (OtherPassword, b"via your web browser"),
    (OtherPassword, b"basic authentication"),
    (OtherPassword, b"verify your account"),
    (OtherPassword, b"#mbr1240"),
    (OtherPassword, b"reqcode"),
    (OtherPassword, "授权码".as_bytes()),
    (OtherPassword, b"\xca\xda\xc8\xa8\xc2\xeb"),
    (OtherPassword, "授權碼".as_bytes()),
    (OtherPassword, b"\xb1\xc2\xc5v\xbdX"),
    // POP3 is switched off.
    (SwitchedOff, b"nosupport"),
    (SwitchedOff, b"not enabled for pop"),
    (SwitchedOff, b"pop access is disabled"),
    (SwitchedOff, b"pop access disabled"),
    (SwitchedOff, b"pop access not enabled"),
    (SwitchedOff, b"pop not allowed"),
    (SwitchedOff, b"pop3 access disabled"),
    (SwitchedOff, b"pop3 access is disabled"),
    (SwitchedOff, b"pop3 is disabled"),
    (SwitchedOff, b"pop3 service is not open"),
    (SwitchedOff, b"pop3 service is disabled"),
    (SwitchedOff, b"pop3 not enabled"),
    (SwitchedOff, b"enable mail protocol"),
    (SwitchedOff, b"enable pop"),
    (SwitchedOff, "没有权限".as_bytes()),
    (SwitchedOff, b"\xc3\xbb\xd3\xd0\xc8\xa8\xcf\xde"),
    (SwitchedOff, "未开启".as_bytes()),
    (SwitchedOff, b"\xce\xb4\xbf\xaa\xc6\xf4"),
    (SwitchedOff, "未開啟".as_bytes()),
    (SwitchedOff, b"pop3 deaktiviert"),
    (SwitchedOff, b"pop3 ist deaktiviert"),
    (SwitchedOff, "pop3 está desactivado".as_bytes()),
    // Texts that contain words of the next groups but mean something else.
    (UnknownCommand, b"protocol error"),
    (UnknownCommand, b"bad commands"),
    (Credentials, b"too many invalid"),
    (Credentials, b"too many failed"),
    (Credentials, b"too many bad auth"),
    (Credentials, b"account is locked"),
    (Credentials, b"account locked"),
    (Credentials, b"account has been locked"),
    (Credentials, b"account is blocked"),
    // Locks.
    (Later, b"already locked"),
    (Later, b"lock busy"),
    (Later, b"locked by"),
    (Later, b"unable to lock"),
    (Later, b"cannot lock"),
    (Later, b"can't lock"),
    (Later, b"get lock"),
    (Later, b"mailbox locked"),
    (Later, b"maildrop locked"),
    (Later, b"is locked"),
    (Later, b"in use"),
    (Later, b"exclusive access"),
    (Later, b"another pop"),
    (Later, b"another session"),
    (Later, b"is being used"),
    // Limits.
    (Later, b"login limit"),
    (Later, b"login allowed only every"),
    (Later, b"between logins"),
    (Later, b"must be at least"),
    (Later, b"too soon"),
    (Later, b"too often"),
    (Later, b"too frequent"),
    (Later, b"frequency"),
    (Later, b"rate limit"),
    (Later, b"bandwidth limit"),
    (Later, b"download exceed"),
    (Later, b"too many"),
    (Later, b"simultaneous connection"),
    (Later, b"number of connections"),
    (Later, b"limit exceeded"),
    (Later, b"connection limit"),
    (Later, "频繁".as_bytes()),
    (Later, b"\xc6\xb5\xb7\xb1"),
    (Later, "頻繁".as_bytes()),
    (Later, b"\xc0W\xc1c"),
    (Later, "超过上限".as_bytes()),
    (Later, b"\xb3\xac\xb9\xfd\xc9\xcf\xcf\xde"),
    (Later, "连接数".as_bytes()),
    (Later, "zu viele".as_bytes()),
    (Later, b"demasiad"),
    (Later, "слишком много".as_bytes()),
    (Later, "слишком часто".as_bytes()),
    // Temporary faults and pauses.
    (Later, b"temporar"),
    (Later, b"try again"),
    (Later, b"try later"),
    (Later, b"wait "),
    (Later, b"busy"),
    (Later, b"maintenance"),
    (Later, b"unavailable"),
    (Later, b"not available"),
    (Later, b"connection is closed. 1"),
    (Later, b"connection refused"),
    (Later, b"could not be opened"),
    (Later, b"server error"),
    (Later, b"unable to fork"),
    (Later, b"child crashed"),
    (Later, b"out of memory"),
    (Later, b"unable to scan"),
    (Later, "稍后".as_bytes()),
    (Later, b"\xc9\xd4\xba\xf3"),
    (Later, "稍後".as_bytes()),
    (Later, b"\xb5y\xab\xe1"),
    (Later, "繁忙".as_bytes()),
    (Later, b"\xb7\xb1\xc3\xa6"),
    (Later, "系统忙".as_bytes()),
    (Later, "später".as_bytes()),
    (Later, b"sp\xe4ter"),
    (Later, "más tarde".as_bytes()),
    (Later, b"m\xe1s tarde"),
    (Later, b"plus tard"),
    (Later, "riprova più tardi".as_bytes()),
    (Later, "попробуйте позже".as_bytes()),
    (Later, "повторите".as_bytes()),
    (Later, "しばらく".as_bytes()),
    (Later, "나중에".as_bytes()),
    // The command or the mechanism.
    (UnknownCommand, b"syntax"),
    (UnknownCommand, b"mechanism"),
    (UnknownCommand, b"unknown command"),
    (UnknownCommand, b"invalid command"),
    (UnknownCommand, b"bad command"),
    (UnknownCommand, b"unrecognized command"),
    (UnknownCommand, b"unrecognised command"),
    (UnknownCommand, b"unacceptable command"),
    (UnknownCommand, b"command not"),
    (UnknownCommand, b"not valid in this state"),
    (UnknownCommand, b"state command"),
    (UnknownCommand, b"command unknown"),
    (UnknownCommand, b"command unrecognized"),
    (UnknownCommand, b"unknown auth"),
    (UnknownCommand, b"not implemented"),
    (UnknownCommand, b"unimplemented"),
    (UnknownCommand, b"not supported"),
    (UnknownCommand, b"unsupported"),
    (UnknownCommand, b"argument"),
    (UnknownCommand, b"parameter"),
    (UnknownCommand, b"not understood"),
    (UnknownCommand, b"authorization first"),
    (UnknownCommand, b"user first"),
    // The name or the password.
    (Credentials, b"password"),
    (Credentials, b"passwd"),
    (Credentials, b"credential"),
    (Credentials, b"user name"),
    (Credentials, b"username"),
    (Credentials, b"authentication fail"),
    (Credentials, b"authorization fail"),
    (Credentials, b"auth error"),
    (Credentials, b"auth fail"),
    (Credentials, b"login fail"),
    (Credentials, b"logon fail"),
    (Credentials, b"login incorrect"),
    (Credentials, b"bad login"),
    (Credentials, b"bad auth"),
    (Credentials, b"invalid login"),
    (Credentials, b"invalid user"),
    (Credentials, b"unknown user"),
    (Credentials, b"no such user"),
    (Credentials, b"access denied"),
    (Credentials, b"unable to log on"),
    (Credentials, b"not accepted"),
    (Credentials, b"passerr"),
    (Credentials, "密码".as_bytes()),
    (Credentials, b"\xc3\xdc\xc2\xeb"),
    (Credentials, "密碼".as_bytes()),
    (Credentials, b"\xb1K\xbdX"),
];

/// Returns the meaning of the words; `None` if the table does not have them.
pub(super) fn meaning_of(text: &[u8]) -> Option<RefusalMeaning> {
    let text = text.to_ascii_lowercase();
    // Lower-casing also changes second bytes of Big5 and GBK characters, so the words of the table are lower-cased, too.
    WORDS.iter().find(|(_, words)| memmem::find(&text, &words.to_ascii_lowercase()).is_some()).map(|(meaning, _)| *meaning)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn q47_every_line_of_the_table_decides() {
        for (at, (meaning, words)) in WORDS.iter().enumerate() {
            let text: Vec<u8> = [b"Sorry: ".as_slice(), words, b"."].concat();
            assert_eq!(meaning_of(&text.to_ascii_uppercase()), Some(*meaning), "line {at}: {}", words.escape_ascii());
            let before = WORDS[..at].iter().find(|(_, other)| memmem::find(words, other).is_some());
            assert!(before.is_none(), "line {at} is hidden by {before:?}");
        }
    }

    #[test]
    fn q47_texts_as_servers_send_them() {
        let cases: &[(&str, Option<RefusalMeaning>)] = &[
            (
                "Exceeded the login limit for a 15 minute period. Reduce the frequency of requests to the POP3 server.",
                Some(Later),
            ),
            ("Unable to lock maildrop: Mailbox is locked by POP server", Some(Later)),
            ("mailbox busy", Some(Later)),
            ("登录太频繁!请检查您的邮箱工具", Some(Later)),
            ("您没有权限使用pop3功能", Some(SwitchedOff)),
            ("pop3 nosupport", Some(SwitchedOff)),
            ("Your account is not enabled for POP access.", Some(SwitchedOff)),
            ("Please using authorized code to login.", Some(OtherPassword)),
            ("Application-specific password required", Some(OtherPassword)),
            ("Basic authentication is disabled", Some(OtherPassword)),
            (
                "Login fail. Account is abnormal, service is not open, password is incorrect, login frequency limited, or system is busy",
                Some(Ambiguous),
            ),
            ("login failure or POP3 disabled, try later.", Some(Ambiguous)),
            ("Protocol error. Connection is closed. 10", Some(UnknownCommand)),
            ("invalid command", Some(UnknownCommand)),
            ("syntax error", Some(UnknownCommand)),
            ("Logon failure: unknown user name or bad password.", Some(Credentials)),
            ("Authentication failed.", Some(Credentials)),
            ("account is locked", Some(Credentials)),
            ("Too many invalid logon attempts", Some(Credentials)),
            ("no", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(meaning_of(text.as_bytes()), *expected, "{text}");
        }
    }
}
