//! A refusal of a login in the store's own words.

use std::fmt;

use pop3_proto::codec::{InvalidArgument, ReplyText, ResponseCode};

/// A response code and a text with which a store denies a login, for example to tell users where they get an app password.
///
/// ```
/// use pop3_maildrop::{LoginError, LoginRefusal};
/// let refusal = LoginRefusal::new("use an app password: https://example.org/app-passwords")?.with_code("AUTH")?;
/// let error = LoginError::Denied(refusal);
/// assert!(error.to_string().contains("app password"));
/// # Ok::<(), pop3_proto::codec::InvalidArgument>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginRefusal {
    code: Option<Box<str>>,
    text: Box<str>,
}

impl LoginRefusal {
    /// Creates a refusal without a response code. It counts as a failed login.
    ///
    /// # Errors
    /// The text contains CR, LF or NUL, or begins with `[`, which would look like a code.
    pub fn new(text: impl Into<Box<str>>) -> Result<Self, InvalidArgument> {
        let text = text.into();
        ReplyText::new(&text)?;
        Ok(Self { code: None, text })
    }

    /// Sets the response code, such as `AUTH`, `SYS/PERM` or one of the store's own (RFC 2449 §8, RFC 3206). With `IN-USE`,
    /// `LOGIN-DELAY`, `SYS/TEMP` and `SYS/PERM` the refusal does not count as a failed login.
    ///
    /// # Errors
    /// The code is not valid.
    pub fn with_code(self, code: &str) -> Result<Self, InvalidArgument> {
        ResponseCode::new(code)?;
        Ok(Self { code: Some(code.into()), ..self })
    }

    /// Returns the response code.
    pub fn code(&self) -> Option<ResponseCode<'_>> {
        self.code.as_deref().and_then(|code| ResponseCode::new(code).ok())
    }

    /// Returns the text.
    pub fn text(&self) -> ReplyText<'_> {
        ReplyText::new(&self.text).unwrap_or(ReplyText::EMPTY)
    }
}

impl fmt::Display for LoginRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.code {
            Some(code) => write!(f, "[{code}] {}", self.text),
            None => f.write_str(&self.text),
        }
    }
}
