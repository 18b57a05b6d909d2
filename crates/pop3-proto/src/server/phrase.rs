//! The reply texts of the server in each of its languages.

use super::language::Language;
use crate::codec::{MalformedCommand, ReplyText, Verb};

/// Defines the type and its table. A phrase that lacks a text in a language does not compile, nor does a text that cannot be
/// sent.
macro_rules! phrases {
    ($($name:ident: $english:literal, $spanish:literal, $simplified:literal, $traditional:literal;)*) => {
        /// A text of a reply.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Phrase { $($name),* }

        impl Phrase {
            #[cfg(test)]
            const ALL: &[Self] = &[$(Self::$name),*];

            /// Returns the text in a language.
            pub(super) const fn text(self, language: Language) -> ReplyText<'static> {
                match (self, language) {$(
                    (Self::$name, Language::English) => const { ReplyText::literal($english) },
                    (Self::$name, Language::Spanish) => const { ReplyText::literal($spanish) },
                    (Self::$name, Language::SimplifiedChinese) => const { ReplyText::literal($simplified) },
                    (Self::$name, Language::TraditionalChinese) => const { ReplyText::literal($traditional) },
                )*}
            }
        }
    };
}

#[rustfmt::skip]
phrases! {
    // Commands
    LineTooLong: "the line is too long", "la línea es demasiado larga", "该行过长", "該行過長";
    UnknownCommand: "unknown command", "comando desconocido", "未知命令", "未知的命令";
    TakesNothing: "this command takes no argument", "este comando no admite argumentos", "此命令不带参数", "此命令不帶參數";
    TakesNumber: "this command takes a message number", "este comando requiere un número de mensaje", "此命令需要邮件编号", "此命令需要郵件編號";
    MayTakeNumber: "this command takes nothing or a message number", "este comando admite un número de mensaje opcional", "此命令可带一个邮件编号，也可不带参数", "此命令可帶一個郵件編號，也可不帶參數";
    TopTakes: "TOP takes a message number and a number of lines", "TOP requiere un número de mensaje y un número de líneas", "TOP 需要邮件编号和行数", "TOP 需要郵件編號和行數";
    UserTakes: "USER takes a name", "USER requiere un nombre", "USER 需要用户名", "USER 需要使用者名稱";
    PassTakes: "this is no password that can be checked", "esa contraseña no se puede comprobar", "密码含有无法处理的字符", "密碼含有無法處理的字元";
    ApopTakes: "APOP takes a name and a digest", "APOP requiere un nombre y un resumen", "APOP 需要用户名和摘要", "APOP 需要使用者名稱和摘要";
    AuthTakes: "AUTH takes a mechanism and perhaps an initial response", "AUTH requiere un mecanismo y quizá una respuesta inicial", "AUTH 需要认证机制，可带初始响应", "AUTH 需要驗證機制，可帶初始回應";
    LangTakes: "LANG takes nothing, a language or *", "LANG admite un idioma, * o ningún argumento", "LANG 可带语言标签或 *，也可不带参数", "LANG 可帶語言標籤或 *，也可不帶參數";
    XclientTakes: "XCLIENT takes words like ADDR=192.0.2.1 and PORT=1100", "XCLIENT requiere parámetros como ADDR=192.0.2.1 y PORT=1100", "XCLIENT 需要 ADDR=192.0.2.1、PORT=1100 之类的参数", "XCLIENT 需要 ADDR=192.0.2.1、PORT=1100 之類的參數";
    TooManyBadCommands: "too many bad commands", "demasiados comandos erróneos", "错误命令过多", "錯誤命令過多";
    NotThisProtocol: "this is a POP3 server", "esto es un servidor POP3", "这是 POP3 服务器", "這是 POP3 伺服器";
    TlsComesLater: "TLS begins with STLS here, or on another port (usually 995)", "aquí TLS empieza con STLS, o en otro puerto (normalmente 995)", "此端口须先用 STLS 启用 TLS，或改用其他端口（通常为 995）", "此連接埠須先用 STLS 啟用 TLS，或改用其他連接埠（通常為 995）";
    LogInFirst: "log in first", "inicie sesión primero", "请先登录", "請先登入";
    LoggedInAlready: "you are logged in already", "ya ha iniciado sesión", "您已登录", "您已登入";
    NotHere: "this command is not available here", "este comando no está disponible aquí", "此处不提供该命令", "此處不提供該命令";
    CapabilitiesFollow: "capability list follows", "sigue la lista de capacidades", "以下为功能列表", "以下為功能清單";
    Bye: "bye", "adiós", "再见", "再見";
    // TLS
    TlsActive: "TLS is active already", "TLS ya está activo", "TLS 已启用", "TLS 已啟用";
    NoTls: "there is no TLS here", "aquí no hay TLS", "此处不提供 TLS", "此處不提供 TLS";
    BeginTls: "begin TLS", "inicie TLS", "请开始 TLS", "請開始 TLS";
    NoTlsAfterUtf8: "STLS must come before UTF8", "STLS debe ir antes de UTF8", "STLS 须在 UTF8 之前", "STLS 須在 UTF8 之前";
    TlsFirst: "log in under TLS only: say STLS first", "inicie sesión solo con TLS: envíe antes STLS", "仅可在 TLS 下登录：请先发送 STLS", "僅可在 TLS 下登入：請先傳送 STLS";
    // Login
    PasswordPlease: "the password, please", "la contraseña, por favor", "请输入密码", "請輸入密碼";
    UserFirst: "say USER first", "envíe antes USER", "请先发送 USER", "請先傳送 USER";
    NoApop: "APOP is not available", "APOP no está disponible", "不提供 APOP", "不提供 APOP";
    MechanismsFollow: "mechanisms follow", "siguen los mecanismos", "以下为认证机制", "以下為驗證機制";
    NoMechanism: "that mechanism is not available here", "ese mecanismo no está disponible aquí", "此处不提供该认证机制", "此處不提供該驗證機制";
    Cancelled: "cancelled", "cancelado", "已取消", "已取消";
    NotBase64: "that is not base64", "eso no es base64", "不是有效的 base64", "不是有效的 base64";
    DoesNotFit: "that does not fit the mechanism", "eso no corresponde al mecanismo", "内容与认证机制不符", "內容與驗證機制不符";
    Downgraded: "somebody on the way has removed channel binding from what is offered here", "alguien ha suprimido por el camino la vinculación de canal que aquí se ofrece", "有人在传输途中删去了服务器提供的通道绑定选项", "有人在傳輸途中刪去了伺服器提供的通道繫結選項";
    BoundOnce: "a login that is bound to TLS can be tried once; connect again", "un inicio de sesión vinculado a TLS se puede intentar una vez; conéctese de nuevo", "与 TLS 绑定的登录只能尝试一次，请重新连接", "與 TLS 繫結的登入只能嘗試一次，請重新連線";
    WrongCredentials: "wrong name or password", "nombre o contraseña incorrectos", "用户名或密码错误", "使用者名稱或密碼錯誤";
    InUse: "another session holds this maildrop", "otra sesión está usando este buzón", "该邮箱正被另一会话使用", "該信箱正被另一個工作階段使用";
    TooSoon: "too soon after the last login; try again later", "demasiado pronto tras el último inicio de sesión; inténtelo más tarde", "距上次登录时间过短，请稍后再试", "距上次登入時間過短，請稍後再試";
    NotNow: "the maildrop cannot be opened now; try again later", "el buzón no se puede abrir ahora; inténtelo más tarde", "邮箱暂时无法打开，请稍后再试", "信箱暫時無法開啟，請稍後再試";
    NotEver: "the maildrop cannot be opened; ask whoever runs this server", "el buzón no se puede abrir; pregunte a quien administra este servidor", "邮箱无法打开，请联系服务器管理员", "信箱無法開啟，請聯絡伺服器管理員";
    Ready: "maildrop ready", "buzón listo", "邮箱就绪", "信箱就緒";
    // Messages
    ScanListingFollows: "scan listing follows", "sigue la lista de mensajes", "以下为邮件列表", "以下為郵件清單";
    UniqueIdsFollow: "unique-id listing follows", "sigue la lista de identificadores únicos", "以下为唯一标识列表", "以下為唯一識別碼清單";
    NoneMarked: "no message is marked", "ningún mensaje está marcado", "没有邮件被标记", "沒有郵件被標記";
    Marked: "marked as deleted", "marcado como borrado", "已标记为删除", "已標記為刪除";
    NoSuchMessage: "no such message", "no existe ese mensaje", "没有该邮件", "沒有該郵件";
    IsMarked: "that message is marked as deleted", "ese mensaje está marcado como borrado", "该邮件已标记为删除", "該郵件已標記為刪除";
    Octets: "octets", "octetos", "字节", "位元組";
    TopFollows: "the top of the message follows", "sigue el comienzo del mensaje", "以下为邮件开头", "以下為郵件開頭";
    MessageGone: "the message is not there any more", "el mensaje ya no está", "该邮件已不存在", "該郵件已不存在";
    MessageUnreadable: "the message cannot be read now; try again later", "el mensaje no se puede leer ahora; inténtelo más tarde", "该邮件暂时无法读取，请稍后再试", "該郵件暫時無法讀取，請稍後再試";
    NeedsUtf8: "that message is in UTF-8: say UTF8 before you log in", "ese mensaje está en UTF-8: envíe UTF8 antes de iniciar sesión", "该邮件使用 UTF-8：请在登录前发送 UTF8", "該郵件使用 UTF-8：請在登入前傳送 UTF8";
    NotAllRemoved: "some deleted messages not removed", "algunos mensajes borrados no se han eliminado", "部分已删除的邮件未能移除", "部分已刪除的郵件未能移除";
    // Modes
    Utf8On: "UTF-8 it is", "se usará UTF-8", "已启用 UTF-8", "已啟用 UTF-8";
    LanguagesFollow: "language listing follows", "sigue la lista de idiomas", "以下为语言列表", "以下為語言清單";
    LanguageChanged: "these texts are in English now", "estos textos están ahora en español", "现在使用简体中文", "現在使用繁體中文";
    NoSuchLanguage: "that language is not known here", "aquí no se conoce ese idioma", "不支持该语言", "不支援該語言";
    // Proxies
    NotTrusted: "XCLIENT is for trusted proxies only", "XCLIENT es solo para intermediarios de confianza", "XCLIENT 仅限受信任的代理", "XCLIENT 僅限受信任的代理伺服器";
    OriginNoted: "noted", "anotado", "已记录", "已記錄";
}

impl Phrase {
    /// Returns the text for a command that cannot be parsed.
    pub(super) const fn for_malformed(malformed: MalformedCommand) -> Self {
        let MalformedCommand::Arguments { verb } = malformed else { return Self::UnknownCommand };
        match verb {
            Verb::Extension => Self::UnknownCommand,
            Verb::Capa | Verb::Last | Verb::Noop | Verb::Quit | Verb::Rset | Verb::Stat | Verb::Stls | Verb::Utf8 => {
                Self::TakesNothing
            }
            Verb::Dele | Verb::Retr => Self::TakesNumber,
            Verb::List | Verb::Uidl => Self::MayTakeNumber,
            Verb::Top => Self::TopTakes,
            Verb::User => Self::UserTakes,
            Verb::Pass => Self::PassTakes,
            Verb::Apop => Self::ApopTakes,
            Verb::Auth => Self::AuthTakes,
            Verb::Lang => Self::LangTakes,
            Verb::Xclient => Self::XclientTakes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{MAX_REPLY_LINE, Status, encode_status_line};
    use bytes::BytesMut;

    #[test]
    fn s03_s55_every_phrase_fits_in_a_line_in_every_language_and_differs() {
        for phrase in Phrase::ALL {
            for language in Language::ALL {
                let (mut out, text) = (BytesMut::new(), phrase.text(language).as_str());
                encode_status_line(&mut out, Status::Err, None, phrase.text(language));
                assert_eq!(out, alloc::format!("-ERR {text}\r\n"), "{phrase:?} {language}");
                assert!(out.len() <= MAX_REPLY_LINE && !text.is_empty());
            }
            let mut texts = Language::ALL.map(|language| phrase.text(language).as_str()).to_vec();
            texts.dedup();
            assert!(texts.len() > 1, "{phrase:?} is translated");
        }
        assert!(Phrase::ALL.iter().all(|phrase| phrase.text(Language::English).as_str().is_ascii()));
    }
}
