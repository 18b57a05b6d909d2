# 本程式的繁體中文文字。

check-settings = 設定
check-names = 網域名稱
check-network = 網路
check-service = 服務
check-tls = TLS
check-pop3 = POP3
check-login = 登入
check-mailbox = 信箱
check-speed = 速度

password-account = 登入需要信箱密碼。
password-app = 登入需要應用程式密碼，不是網頁登入密碼。
password-code = 登入需要授權碼，不是網頁登入密碼。
password-token = 登入需要存取權杖（OAuth）；密碼會被拒絕。
password-app-or-token = 登入需要應用程式密碼（不是網頁登入密碼）或存取權杖（OAuth）。

doctor-settings = { $host }，連接埠 { $ports }；沒有指定使用者
doctor-settings-user = { $host }，連接埠 { $ports }，使用者 { $user }
doctor-settings-provider = { $provider }：{ $host }，連接埠 { $ports }，使用者 { $user }
doctor-settings-guess = 猜測：{ $host }，連接埠 { $ports }，使用者 { $user }
doctor-settings-guess-means = 本程式不知道這個位址的業者。如果主機是另一個，請用 --host 指定。
doctor-settings-no-pop3 = { $provider } 不能使用 POP3：{ $why }
doctor-unknown-address = 不知道 { $address } 的 POP3 伺服器
doctor-unknown-address-next = 請指定：pop3 doctor 位址 --host pop.example.org
doctor-advice = { $provider }：{ $text }
doctor-password-prompt = { $user } 的密碼（按 Enter 略過登入）：{ " " }

doctor-names = { $host } 的位址是 { $addresses }
doctor-names-unknown = 沒有名為 { $host } 的主機
doctor-names-unknown-means = 名稱寫錯了，或者業者已經停用它。
doctor-names-unknown-next = 請檢查拼字。業者的說明頁面會寫明主機名稱，通常帶有 POP 或 POP3 字樣。
doctor-names-no-resolver = 現在無法查詢名稱 { $host }
doctor-names-no-resolver-means = 本機的名稱伺服器（DNS）沒有回應。
doctor-names-no-resolver-next = 請檢查網路。如果其他名稱也不能用，請重新啟動路由器或更換名稱伺服器。
doctor-names-private = { $host } 的位址是 { $addresses }，屬於內部網路
doctor-names-private-means = { $provider } 的伺服器在網際網路上。網路中有東西改變了名稱的指向。
doctor-names-private-next = 請用瀏覽器開啟一個網頁：旅館和車站的網路要求先登入。否則請檢查 hosts 檔案、防火牆和防毒軟體。

doctor-network = { $address } 連接埠 { $port } 接受連線
doctor-network-refused = { $address } 連接埠 { $port } 拒絕連線
doctor-network-refused-means = 主機存在，但沒有伺服器監聽這個連接埠。
doctor-network-refused-next = 請檢查主機和連接埠：995 用於 TLS，110 用於 STLS。如果是自己的機器，請啟動伺服器。
doctor-network-silent = { $address } 連接埠 { $port } 沒有回應
doctor-network-silent-means = 途中的防火牆丟棄了封包，或者主機沒有開機。
doctor-network-silent-next = 請換一個網路，例如手機熱點。有些網路和防毒軟體會封鎖郵件連接埠；其管理員可以開放 995。
doctor-network-no-route = 本機沒有到 { $address } 連接埠 { $port } 的路由
doctor-network-no-route-means = 網路已中斷，或者缺少路由。
doctor-network-no-route-next = 請檢查網路線、無線網路或 VPN。
doctor-network-no-ipv6 = 本機沒有 IPv6，因此略過 { $address } 連接埠 { $port }；IPv4 可用
doctor-network-ipv6-means = 這裡 IPv6 不通，IPv4 可用。每次連線可能都要先等待 IPv6。
doctor-network-ipv6-next = 請通知網路或伺服器的管理員。在此之前仍能收信，只是可能較慢。
doctor-network-other = { $address } 連接埠 { $port }：{ $error }

doctor-service-tls = 連接埠 { $port } 是 TLS 上的 POP3：「{ $text }」
doctor-service-clear = 連接埠 { $port } 是 POP3：「{ $text }」
doctor-service-slow-means = 問候語來得很慢。伺服器忙碌，或者它在查詢每個用戶端的位址。
doctor-service-has-tls = 連接埠 { $port } 一開始就使用 TLS，而嘗試時沒有用
doctor-service-has-tls-next = 請去掉 --stls：連接埠 { $port } 從一開始就使用 TLS。
doctor-service-no-tls = 連接埠 { $port } 是不帶 TLS 的 POP3，而嘗試時用了 TLS
doctor-service-no-tls-next = 請對連接埠 { $port } 使用 --stls，或者使用連接埠 995。
doctor-service-refuses = 連接埠 { $port } 拒絕工作階段：「{ $text }」
doctor-service-refuses-means = 伺服器存在，但現在不接受工作階段：連線太多、正在維護，或者封鎖了本機位址。
doctor-service-refuses-next = 請過幾分鐘再試，並減少同時連線的程式。
doctor-service-imap = 連接埠 { $port } 是 IMAP 伺服器
doctor-service-smtp = 連接埠 { $port } 是 SMTP 或 FTP 伺服器
doctor-service-ssh = 連接埠 { $port } 是 SSH 伺服器
doctor-service-http = 連接埠 { $port } 是網頁伺服器
doctor-service-portal-means = 業者在那裡有郵件伺服器。網路中有別的東西在代替它回應：旅館或車站的登入頁面，或者代理伺服器。
doctor-service-portal-next = 請用瀏覽器開啟一個網頁，登入網路，然後再試。
doctor-service-unknown = 連接埠 { $port } 不是 POP3：「{ $text }」
doctor-service-usual-ports = POP3 通常在連接埠 995，或者在帶 STLS 的連接埠 110。
doctor-service-silent = 連接埠 { $port } 接受連線，但什麼也不說
doctor-service-silent-means = 伺服器沒有反應，或者防火牆、防毒軟體接管了連線而不轉送。
doctor-service-silent-next = 請稍後再試，並關閉防毒軟體的郵件防護再試一次。
doctor-service-closed = 連接埠 { $port } 立即關閉每個連線
doctor-service-closed-means = 伺服器封鎖了本機位址，或者前面的代理沒有可用的伺服器。
doctor-service-closed-next = 請等幾分鐘：登入過多時伺服器會封鎖位址。否則請詢問管理員。

doctor-tls = { $version }，{ $cipher }；憑證屬於 { $names }，由 { $issuer } 簽發，有效期至 { $until }
doctor-tls-plain = { $version }，{ $cipher }
doctor-tls-soon-means = { $days ->
   *[other] 憑證還有 { $days } 天到期，早該更新了。
}
doctor-tls-soon-next = 請通知伺服器的管理員。如果是自己的伺服器，請更新憑證並重新載入。
doctor-tls-expired = { $host } 的憑證已於 { $until } 過期
doctor-tls-expired-means = 管理員沒有更新，或者本機時鐘不對：現在顯示 { $today }。
doctor-tls-expired-next = 請檢查本機日期。如果日期正確，請通知管理員。修復之前不要傳送密碼。
doctor-tls-not-yet = { $host } 的憑證尚未生效
doctor-tls-not-yet-means = 很可能是本機時鐘不對：現在顯示 { $today }。
doctor-tls-not-yet-next = 請校正本機時鐘，然後再試。
doctor-tls-wrong-name = 憑證不屬於 { $host }，而屬於 { $names }
doctor-tls-wrong-name-means = 伺服器使用另一個名稱，或者網路中有別的東西在代替它回應。
doctor-tls-wrong-name-next = 如果那個名稱屬於您的業者，請把它用作主機名稱。否則不要傳送密碼。
doctor-tls-self-signed = { $host } 的憑證是它自己簽發的
doctor-tls-unknown-issuer = { $host } 的憑證由 { $issuer } 簽發，本機不信任它
doctor-tls-own-means = 無法證明這就是正確的伺服器。自己的伺服器常常如此；如果是業者，那就是攻擊，或者是防毒軟體在讀取郵件。
doctor-tls-own-next = 如果是自己的伺服器，請在那裡核對指紋（openssl x509 -noout -fingerprint -sha256 -in cert.pem）：{ $fingerprint }
doctor-tls-own-save = 如果一致，就可以信任它：給本命令加上 --save-certificate server.pem，然後給每個命令加上 --ca-file server.pem。
doctor-tls-too-old = { $host } 沒有今天仍然安全的 TLS 版本或加密演算法
doctor-tls-too-old-means = 伺服器只提供 TLS 1.0 或 1.1，或者舊的加密演算法，別人可以讀取內容。
doctor-tls-too-old-next = 請通知管理員：TLS 1.2 是最低的安全要求。
doctor-tls-other = 與 { $host } 的 TLS 失敗：{ $error }
doctor-tls-other-next = 請把這段文字告訴伺服器的管理員。
doctor-tls-no-stls = 伺服器在這個連接埠不提供 TLS（STLS）
doctor-tls-no-stls-means = 網路上的其他人可能讀到密碼和郵件，所以本程式什麼也不傳送。
doctor-tls-no-stls-next = 請使用連接埠 995。如果伺服器完全沒有 TLS，請向管理員提出。
doctor-save-failed = 憑證無法寫入 { $file }：{ $error }

doctor-pop3 = 伺服器支援 { $capabilities }
doctor-pop3-no-capa = 伺服器不說明它支援什麼（CAPA）
doctor-pop3-no-capa-means = 它比較舊。可以收信，但每次只能執行一個命令。
doctor-pop3-no-uidl-means = 沒有 UIDL，本程式無法知道哪些郵件已經收取。
doctor-pop3-no-uidl-next = 請在 pop3 fetch 時使用 --delete：每封郵件收取一次，然後從伺服器刪除。

doctor-login = 已用 { $method } 以 { $user } 登入
doctor-login-other-next = 需要伺服器的管理員查看日誌。如果是自己的伺服器，請查看它的日誌。
doctor-login-skipped = 沒有嘗試登入
doctor-login-skipped-next = 要嘗試登入，請提供密碼：設定 POP3_PASSWORD、使用 --password-file，或者在詢問時輸入。
doctor-login-wrong = 伺服器拒絕使用者名稱或密碼：「{ $text }」
doctor-login-wrong-means = 使用者名稱或密碼不對，或者密碼的種類不對。
doctor-login-wrong-next = 請重新輸入密碼。使用者名稱請分別試試完整位址和 @ 前面的部分（--user）。
doctor-login-other-password = 伺服器需要另一種密碼：「{ $text }」
doctor-login-other-password-means = 網頁登入密碼在這裡不能用於郵件程式。
doctor-login-other-password-next = 請在業者的網頁上產生應用程式密碼或授權碼並使用它，或者使用存取權杖（--token-command）。
doctor-login-pop-off = 這個信箱沒有開啟 POP：「{ $text }」
doctor-login-pop-off-means = 只有在使用者開啟之後，業者才允許郵件程式登入。
doctor-login-pop-off-next = 請在業者網頁的信箱設定中開啟 POP3。
doctor-login-in-use = 另一個程式正在使用這個信箱：「{ $text }」
doctor-login-in-use-means = 一個信箱同時只能有一個工作階段。中斷的舊工作階段可能要到逾時才結束。
doctor-login-in-use-next = 請關閉其他郵件程式（包括手機上的），十分鐘後再試。
doctor-login-delay = 伺服器限制登入的頻率：「{ $text }」
doctor-login-delay-means = 不久前剛登入過。
doctor-login-delay-next = 請稍後再試，並讓郵件程式降低檢查頻率。
doctor-login-temporary = 伺服器現在無法登入：「{ $text }」
doctor-login-temporary-next = 請過幾分鐘再試。
doctor-login-web = 業者阻止了登入：「{ $text }」
doctor-login-web-means = 業者要求使用者先在網頁上登入並確認。
doctor-login-no-mechanism = 沒有雙方都支援的登入方式
doctor-login-no-mechanism-means = 伺服器只提供本程式沒有的登入方式，或者不適用於密碼的方式。
doctor-login-no-mechanism-next = 如果伺服器需要權杖，請使用 --token-command。否則請向管理員要求 TLS 上的 PLAIN 或 SCRAM-SHA-256。
doctor-login-other = 登入失敗：{ $error }

doctor-session-silent = { $seconds ->
   *[other] 伺服器 { $seconds } 秒沒有回應
}
doctor-session-silent-next = 請稍後再試，或者加大 --timeout。
doctor-session-closed = 伺服器關閉了連線
doctor-session-closed-means = 有些伺服器用中斷代替拒絕：登入太多，或者被封鎖。
doctor-session-closed-next = 請等幾分鐘再試。
doctor-session-other = { $error }
doctor-mailbox = { $messages ->
   *[other] { $messages } 封郵件，{ $octets } 位元組
}
doctor-speed = 一個命令需要 { $milliseconds } 毫秒
doctor-speed-no-pipeline = 沒有 PIPELINING，每封郵件都要等前一封的回應。
doctor-speed-pipeline = 一個命令需要 { $milliseconds } 毫秒；{ $count } 個命令逐一執行需要 { $apart } 毫秒，管線執行需要 { $together } 毫秒

doctor-result-works = 可以收取郵件：{ $command }
doctor-result-no-login = 伺服器可用；沒有嘗試登入。收取郵件的命令：{ $command }
doctor-result-fails = 無法收取郵件。標有 ✗ 的行說明原因和辦法。
doctor-report-examined = 檢查對象：{ $subject }

guide-overview = { $address } 的 POP3 設定
guide-title = 在 { $client } 中設定 { $address }
guide-before = 開始之前
guide-steps = 步驟
guide-checked = 適用於 { $version }。其他版本的名稱可能不同。
guide-warning = 警告：{ $text }
guide-clients = 郵件程式的步驟：pop3 guide 位址 --client 名稱。名稱有：{ $names }。
guide-unknown-client = 不知道名為 { $client } 的郵件程式
guide-no-address = { $text } 不是郵件位址
guide-name-host = 請指定伺服器：pop3 guide 位址 --host pop.example.org
guide-field-host = 伺服器
guide-field-port = 連接埠
guide-field-security = 安全
guide-field-user = 使用者名稱
guide-field-password = 密碼
guide-security-tls = 從一開始使用 TLS（SSL/TLS）
guide-security-stls = STLS（STARTTLS）
guide-password-account = 信箱密碼
guide-password-app = 應用程式密碼
guide-password-code = 授權碼
guide-password-token = 留空：程式必須能在瀏覽器中登入（OAuth），否則不能使用
guide-your-name = 您的名字，別人會看到
guide-smtp = 業者給出的外寄伺服器
guide-switch-on = 在 { $provider } 開啟 POP 並取得密碼：{ $text }
guide-poll = { $minutes ->
   *[other] { $provider } 每 { $minutes } 分鐘接受一次登入。
}
guide-deletion = { $provider } 的刪除：{ $text }
guide-help = { $provider } 的說明：{ $text }
guide-source = 以上資訊來自 { $source }（{ $date }）。
guide-place-thunderbird = 用於 Thunderbird：請發布為 https://autoconfig.{ $domain }/mail/config-v1.1.xml
guide-place-outlook = 用於 Outlook：請發布為 https://autodiscover.{ $domain }/autodiscover/autodiscover.xml，對 POST 也這樣回應
guide-place-apple = 用於 Mac、iPhone 和 iPad 的 Apple 郵件：傳送給使用者，或者提供下載

introduction =
    pop3 透過 POP3 收取郵件、提供郵件服務，並說明哪裡有問題。

      pop3 fetch you@example.org     把新郵件收取到 ~/Mail/you@example.org
      pop3 doctor you@example.org    找出收不到郵件的原因
      pop3 serve --help              提供本機的郵件

    pop3 --help 列出全部內容；pop3 demo 示範它如何運作。
fetch-interrupted = { $count ->
    [0] 已中斷；本次沒有儲存郵件。下次繼續。
   *[other] 已中斷；本次的 { $count } 封郵件已安全儲存。下次收取其餘郵件。
}
fetch-no-maildir = { $folder } 不是空的，也不是 Maildir
fetch-no-maildir-next = 請指定新的或空的資料夾，或者 Maildir：其中有 cur、new 和 tmp 資料夾。

read-empty = 沒有郵件。
read-newest = 以上是 { $count } 封郵件中最新的 { $shown } 封；--all 列出全部。
read-no-message = 沒有第 { $number } 封郵件
read-no-maildir = { $folder } 不是 Maildir
read-delete-local = --delete 用於伺服器上的郵件；在 Maildir 中請刪除檔案
read-ask = { $count ->
   *[other] 從伺服器刪除這 { $count } 封郵件嗎？刪除後無法復原。[y/N]
}
read-yes = y yes 是
read-no-terminal = 沒有可以詢問的終端機；--yes 不詢問就刪除
read-nothing-deleted = 沒有刪除。
read-refused = 伺服器拒絕刪除第 { $number } 封郵件，因此沒有刪除任何郵件
read-deleted = { $count ->
   *[other] 已從伺服器刪除 { $count } 封郵件。
}
read-no-text = （這封郵件沒有文字。）
read-attachment = 附件：{ $name }（{ $octets } 位元組）
read-from = 寄件者
read-to = 收件者
read-cc = 副本
read-date = 日期
read-subject = 主旨

accounts-none = 沒有設定帳號
accounts-none-next = 請指定位址：pop3 fetch 位址。或者新增帳號：pop3 accounts add 位址
accounts-unknown = 沒有名為 { $account } 的帳號；pop3 accounts list 列出全部
accounts-exists = { $file } 中已經有名為 { $account } 的帳號
accounts-exists-next = 請給這個帳號另一個名稱：--name 名稱
accounts-no-home = 沒有地方存放帳號檔案：請設定 HOME 或 XDG_CONFIG_HOME
accounts-no-maildir = 主機名稱還需要 Maildir：pop3 accounts add 主機 MAILDIR --user 使用者
config-unknown-key = { $place }：沒有名為 { $key } 的鍵
config-similar-key = 有一個相似的鍵：{ $key }
accounts-keys = 鍵就是 pop3 fetch 的選項；pop3 fetch --help 列出它們。
config-wrong-type = { $place }：{ $key } 的值類型不對
config-wrong-key = { $place }：{ $error }
accounts-no-server = { $place }：缺少鍵 server；它是郵件位址或主機名稱
accounts-works = { $count ->
   *[other] { $account }：可以登入；伺服器上有 { $count } 封郵件
}
accounts-added = { $count ->
   *[other] 已把 { $account } 新增到 { $file }；伺服器上有 { $count } 封郵件。收取：pop3 fetch
}
accounts-store = 把密碼存放在只有您能讀取的 { $file } 嗎？[Y/n]

conformance-seen = 伺服器：「{ $seen }」
conformance-login-refused = 伺服器拒絕登入，因此只檢查了登入之前的條款；不帶 --conformance 的 pop3 doctor 會說明原因
conformance-greeting = 問候語以 +OK 開頭。
conformance-greeting-length = 問候語最多 512 位元組。
conformance-capa = 伺服器回應 CAPA。
conformance-capa-lines = CAPA 的每一行最多 512 位元組，且沒有空行。
conformance-unknown = 未知命令的回應是 -ERR。
conformance-state = 登入前 STAT 的回應是 -ERR。
conformance-pass-first = 沒有 USER 的 PASS 的回應是 -ERR。
conformance-empty = 空行的回應是 -ERR。
conformance-stls-twice = TLS 上的 STLS 的回應是 -ERR。
conformance-stls-offered = TLS 上不提供 STLS。
conformance-long-line = 255 位元組的命令列作為一個命令讀取。
conformance-pipelining = 一起傳送的命令逐一按順序回應。
conformance-cancel = 用星號取消登入，回應是 -ERR。
conformance-case = 命令可以小寫。
conformance-quit = QUIT 之後伺服器關閉連線。
conformance-open = 連線仍然開啟
conformance-injection = STLS 之後的明文命令不會在 TLS 上得到回應。
conformance-injected = 明文傳送的命令在 TLS 上得到了回應：網路上的攻擊者可以注入命令
conformance-noop = NOOP 的回應是 +OK。
conformance-stat = STAT 的回應是郵件的數量和大小。
conformance-list = LIST 的郵件數和位元組數與 STAT 相同。
conformance-list-one = 帶編號的 LIST 的回應只有一行。
conformance-uidl = 唯一識別碼有 1 到 70 個可列印字元，且互不相同。
conformance-zero = 郵件編號 0 的回應是 -ERR。
conformance-beyond = 超過最後一封的編號的回應是 -ERR。
conformance-no-number = 不是數字的編號的回應是 -ERR。
conformance-logged-in = 登入後 USER 的回應是 -ERR。
conformance-rset = RSET 的回應是 +OK。
conformance-update = 登入後 QUIT 的回應是 +OK。
conformance-result = { $broken ->
    [0] 能夠檢查的 { $count } 條全部符合。
   *[other] 能夠檢查的 { $count } 條中有 { $broken } 條不符合。
}

error-connect = 無法連線 { $host } 連接埠 { $port }：{ $cause }
error-silent = 伺服器 { $time } 沒有回應或者太慢（{ $waiting }）
error-seconds = { $count } 秒
error-milliseconds = { $count } 毫秒
error-refused = 伺服器拒絕 { $verb }{ $reply }
error-no-session = 伺服器現在拒絕工作階段{ $reply }
error-tls-unknown-issuer = TLS：伺服器的憑證不是由受信任的機構簽發的
error-tls-self-signed = TLS：伺服器的憑證是它自己簽發的，無法證明屬於誰
error-tls-expired = TLS：伺服器的憑證已過期：{ $date }，{ $days } 天前
error-tls-not-yet = TLS：伺服器的憑證尚未生效：{ $date }，還有 { $days } 天；本機時鐘對嗎？
error-tls-none = TLS：伺服器在這個連接埠不使用 TLS
error-no-unique-ids = 伺服器不支援 UIDL，無法區分已收取的郵件和新郵件
error-unique-ids-unavailable = 伺服器現在不列出唯一識別碼
error-locked = 另一個執行正在把 { $account } 收取到這個 Maildir
error-listed-twice = 伺服器的清單中同一封郵件出現兩次，不可信
error-endless-listing = 伺服器列出的郵件遠多於它的計數，不可信
waiting-greeting = 等待問候語
waiting-login = 等待登入
waiting-reply = 等待回應
waiting-message = 接收郵件
waiting-end = 等待工作階段結束
waiting-handshake = TLS 交握
waiting-command = 傳送命令
advice-in-use = 另一個程式正在讀取這個信箱。請過幾分鐘再試。
advice-login-delay = 伺服器要求兩次登入之間有間隔。請稍後再試。
advice-login-delay-seconds = 伺服器要求兩次登入之間間隔 { $seconds } 秒。請在此之後再試。
advice-temporary = 伺服器有暫時的故障。請稍後再試。
advice-permanent = 伺服器有故障，需要其管理員修復。
advice-not-tls = 對不以 TLS 開始的連接埠（通常是 110）請使用 --stls。
advice-self-signed = 如果是自己的伺服器，請從那裡複製憑證，並用 --ca-file 指定。
advice-unknown-issuer = 如果伺服器使用私有憑證，請向管理員索取，並用 --ca-file 指定。
advice-wrong-name = 請使用憑證中的主機名稱。
advice-switched-off = 這個帳號沒有開啟 POP3。請在業者網頁的信箱設定中開啟。
advice-other-password = 業者需要另一種密碼：其網頁上的應用程式密碼或授權碼，或者存取權杖（--token-file、--token-command）。
advice-ambiguous = 伺服器同時給出了幾個原因：密碼錯誤、密碼種類不對（請試授權碼）、POP3 未開啟，或者登入太多。
advice-connect = 請檢查主機名稱、連接埠和網路。
advice-cleartext = 請使用 TLS，或者在可信的網路中使用 --dangerously-cleartext。
advice-hung-up = 有些伺服器在使用者名稱或密碼錯誤時不回應就斷開。請檢查兩者。
advice-no-unique-ids = 請只使用 --delete：每封郵件收取一次，然後從伺服器刪除。
advice-later = 請稍後再試。
advice-locked = 請等另一個執行結束。
advice-token = 請用 --token-command 或 --token-file 提供權杖。
advice-tls-port = 一開始就使用 TLS 的連接埠（通常是 995）不需要 --stls 或 --dangerously-cleartext。
advice-disk = 只有已安全存盤的郵件才從伺服器刪除。請修復磁碟後再執行。
advice-provider-pop-off = { $provider } 表示這個信箱沒有開啟 POP。
advice-provider-too-often = { $provider } 限制程式登入的頻率。請稍後再試。
advice-provider-blocked = { $provider } 封鎖了這個帳號。請登入其網頁查看原因。
advice-provider-web-login = { $provider } 要求先在其網頁上登入。
wants-account = { $provider } 需要信箱密碼
wants-app = { $provider } 需要應用程式密碼，不是網頁登入密碼
wants-code = { $provider } 需要授權碼，不是網頁登入密碼
wants-token = { $provider } 需要存取權杖（OAuth）；密碼會被拒絕
wants-app-or-token = { $provider } 需要應用程式密碼（不是網頁登入密碼）或存取權杖（OAuth）
password-prompt = { $account } 的密碼：{ " " }
password-none = 沒有提供密碼，也沒有可以詢問的終端機
password-none-next = 請設定 POP3_PASSWORD，或者使用 --password-file 或 --password-command。
fetch-guessed = 猜測的伺服器：{ $host }；它以 POP3 伺服器問候，憑證與此名稱相符
fetch-settings = { $host }，連接埠 { $port }，使用者 { $user }；郵件存放到 { $folder }
fetch-other-user = 使用者名稱是 { $user }，不是完整位址；下次用 --user { $user } 就不需要第二次登入
fetch-no-pop3 = { $address } 不能透過 POP3 收取：{ $why }
fetch-no-guess = 該網域沒有為郵件程式公布設定，而且 pop.{ $domain }、pop3.{ $domain }、mail.{ $domain } 和 { $domain } 都不是帶有相符憑證的 POP3 伺服器。
fetch-name-host = 請指定：pop3 fetch 位址 --host pop.example.org。業者的說明頁面會寫明主機名稱，通常帶有 POP 或 POP3 字樣。
fetch-stored = { $count ->
   *[other] { $count } 封郵件已安全儲存。請再次執行命令收取其餘郵件。
}
fetch-nothing = 沒有新郵件
fetch-fetched = { $count ->
   *[other] 收取 { $count } 封郵件（{ $size }）
}
fetch-deleted = 從伺服器刪除 { $count } 封
fetch-known = { $count } 封已知
fetch-kept = { $count } 封仍在伺服器上，儘管它確認了刪除
fetch-too-large = { $count } 封超過大小限制，留在伺服器上
fetch-comma = ，
fetch-some-failed = 其餘都已完成。下次執行會再試。
accounts-proxy-password = 代理的密碼不會寫入帳號檔案：請去掉 --proxy，收取時設定 POP3_PROXY
accounts-password-exists = 檔案 { $file } 已經存在；請刪除它，或者用 --name 給帳號另一個名稱
accounts-one-password = POP3_PASSWORD 只用於一個帳號，而有幾個帳號沒有自己的密碼：請在各自的部分使用 password-file 或 password-command
conformance-withheld = （不顯示：其中含有密碼）
conformance-token = --conformance 用密碼登入，不能用權杖
accounts-wrong-name = 帳號需要一個沒有控制字元的名稱：--name 名稱
accounts-not-utf8 = 帳號檔案使用 UTF-8，而某個路徑或選項不是 UTF-8；請改用別的
guide-control = { $text } 中有控制字元
fetch-plan-fetch = 收取
fetch-plan-fetch-and-delete = 收取，然後從伺服器刪除
fetch-plan-compare = 重新收取並比較：其唯一識別碼不能說明是否已儲存
fetch-plan-delete = 從伺服器刪除：已儲存
fetch-plan-too-large = 留下：超過大小限制
fetch-plan-set-aside = 暫時留下：多次嘗試失敗
fetch-plan-no-unique-id = 留下：沒有唯一識別碼
fetch-plan-known = 已儲存
fetch-plan = 將收取 { $fetch } 封（{ $size }），將刪除 { $delete } 封，已儲存 { $known } 封。沒有收取或刪除任何郵件。
fetch-plan-compare-and-delete = 重新收取並比較，然後從伺服器刪除
state-of = { $folder } 中的 { $account } 已知：
state-stored = 已儲存
state-suspect = 已儲存，但可能不完整
state-deleting = 已要求刪除
state-deleted = 已從伺服器刪除
state-kept = 伺服器確認了刪除，但郵件仍在
state-elsewhere = 由其他程式收取
state-imported = 已為 { $account } 接收 { $count } 封郵件的記錄，{ $known } 封先前已知
state-others = { $file } 中沒有 { $user }（{ $host }）的清單
state-others-next = 其中有：{ $others }。請用 --user 指定使用者，用 --host 指定伺服器。
source-srv = SRV 記錄
source-autoconfig = 公布的設定
source-guess = 推測
fetch-looking = 正在尋找 { $address } 的伺服器
fetch-found-srv = SRV 記錄指出伺服器 { $host }；它的憑證與此名稱相符
fetch-found-autoconfig = 該網域為郵件程式公布了設定：伺服器是 { $host }
advice-kept = 該伺服器於 { $date } 透過{ $source }找到，並保存在 { $file } 中。刪除其中的條目即可重新尋找。
srv-not-offered = { $domain } 的 SRV 記錄表明它不提供 POP3
srv-ask = SRV 記錄指出伺服器 { $host }，它不屬於 { $domain }。這是您的服務商的伺服器嗎？[y/N]
srv-elsewhere = SRV 記錄指出伺服器 { $host }，它不屬於 { $domain }；這樣的記錄可能是偽造的
srv-elsewhere-next = 如果它是您的服務商的伺服器，請指明：--host { $host }
doctor-settings-srv = 由 SRV 記錄找到：{ $host }，連接埠 { $ports }，使用者 { $user }
doctor-settings-autoconfig = 在該網域公布的設定中找到：{ $host }，連接埠 { $ports }，使用者 { $user }
advice-oauth = 請在其網頁上登入：pop3 login { $account } --oauth-client-id ID，其中 ID 屬於您自己註冊的程式：
oauth-unknown = 不知道 { $host } 在哪裡提供 OAuth 授權
oauth-unknown-next = 請指明位址：--oauth-token-url，以及 --oauth-authorize-url 或 --oauth-device-url。
oauth-no-home = 沒有可以保存授權的主目錄；請設定 HOME 或 XDG_STATE_HOME
oauth-no-client = OAuth 登入需要用戶端 ID
oauth-no-client-next = 請在服務商處註冊一個程式，並用 --oauth-client-id 或帳戶的 oauth-client-id 鍵給出其 ID。
oauth-none = 尚無存取 { $user } 信箱的授權，或授權已失效
oauth-none-next = 請在終端機上用相同的選項登入：pop3 login { $account }
oauth-device = 要允許本程式讀取 { $user } 的郵件，請在任意裝置上開啟 { $url } 並輸入代碼 { $code }
oauth-browser = 要允許本程式讀取 { $user } 的郵件，請在本機的瀏覽器中開啟此頁面：
oauth-paste = 頁面最後會停在一個可能打不開的位址。請把該位址貼到這裡：
oauth-not-pasted = 這不是本次登入結束時的位址：{ $text }
oauth-late = 網頁登入沒有在十分鐘內完成
oauth-page-done = 程式已獲得授權。您可以關閉此頁面。
oauth-page-refused = 程式未獲得授權，原因由程式說明。您可以關閉此頁面。
oauth-scope = 警告：服務商沒有授予權限 { $scope }，郵件伺服器可能會拒絕登入
oauth-unreachable = 無法從 { $url } 取得權杖：{ $error }
oauth-unreadable = 其答覆不符合 OAuth 2.0
oauth-refused = 服務商不授權：{ $text }
deliver-done = 已轉交 { $count } 封郵件
deliver-waiting = { $count } 封郵件在 { $folder } 中等待下次執行，在那裡是安全的。
deliver-failed = { $destination }：{ $error }
deliver-no-recipient = { $destination } 需要收件人：--recipient ADDRESS
deliver-and-maildir = 郵件要麼進入 Maildir，要麼依 --deliver-to 轉交；--deliver-to maildir:資料夾 可在其他目的地之外再加一個 Maildir
deliver-no-home = 沒有可供郵件等待的主目錄；請設定 HOME 或 XDG_STATE_HOME
fetch-works-again = 恢復正常
timer-accounts = 計時器收取設定中的帳戶；請用 pop3 accounts add 新增此帳戶
timer-cron = 這裡沒有 systemd。在 crontab -e 中加入這一行效果相同：{ $line }
timer-installed = 計時器位於 { $folder }。啟動它：systemctl --user daemon-reload && systemctl --user enable --now pop3-fetch.timer（若要在登出後執行，再執行 sudo loginctl enable-linger）。
fetch-later = { $count } 封留待下次執行
fetch-plan-later = 留待下次執行：超過限制
config-missing-key = { $place }：缺少另一個鍵所需的鍵 { $key }
oauth-proxy = OAuth 登入只能經過 HTTP 代理；請去掉代理，或用 --token-command 提供權杖
accounts-removed = 已從 { $file } 中移除 { $account }。其郵件保留，{ $state } 中等待的郵件和 OAuth 授權也保留。
accounts-not-removed = 無法將 { $account } 的表與其他表區分；請用編輯器從 { $file } 中刪除
timer-options = 計時器依設定收取所有帳戶；請把其他選項作為帳戶的鍵寫在設定中
url-scheme = POP3 伺服器的 URL 以 pops:// 或 pop:// 開頭
url-password = POP3 伺服器的 URL 不含密碼（RFC 2384）；其他使用者可能會看到它
url-password-next = 請去掉它。程式會詢問密碼，或從 POP3_PASSWORD 或 --password-file 取得。
url-user = URL 中的使用者名稱不是 UTF-8
url-auth = 在使用者名稱之後，URL 可以寫 ;auth=METHOD
url-method = URL 中的登入方式未知；pop3 fetch --help 列出了 --auth 的方式
host-wrong = { $text } 不是主機名稱
host-wrong-next = 例如：pop.example.org、pop.example.org:995、[2001:db8::1]:995 或 pops://joe@pop.example.org
target-no-settings = --autoconfig-file 用於郵件地址；主機名稱不需要設定
target-no-host = --host 用於郵件地址；主機名稱不需要另一個主機
target-twice = { $text } 與一個選項重複了同一內容；請去掉其中之一
target-no-user = 主機名稱還需要 --user
target-no-user-example = 例如：pop3 fetch pop.example.org --user joe ~/Maildir
target-address-enough = 使用郵件地址時，只需地址即可：pop3 fetch joe@gmail.com
place-no-maildir = 主機名稱還需要一個 Maildir
place-no-default = { $name } 沒有預設資料夾
place-name-maildir = 請指定 Maildir：pop3 fetch ADDRESS MAILDIR
password-empty-file = { $file }：第一行為空
password-readable = 警告：其他使用者可以存取 { $file }；請對它執行 chmod 600
password-netrc-home = 沒有 .netrc 所在的主目錄
password-netrc-none = { $file } 中沒有 { $user } 在 { $host } 的密碼
password-netrc-next = 請加入一行：machine { $host } login { $user } password …
password-no-credentials = 沒有憑證資料：未設定 CREDENTIALS_DIRECTORY
password-no-credentials-next = --credential 用於帶有 LoadCredential= 或 LoadCredentialEncrypted= 的 systemd 服務。
password-credential-name = { $name } 不是憑證資料的名稱
password-command-failed = 密碼命令失敗：{ $error }
token-command-failed = 權杖命令失敗：{ $error }
password-command-silent = 它沒有輸出任何內容
token-not-ascii = 存取權杖含有非 ASCII 位元組
deliver-circles = 一封郵件已被 { $count } 台伺服器轉送：它在循環
deliver-in-the-clear = { $address } 是另一台機器，郵件會以明文發往那裡
deliver-closed = 它關閉了連線
deliver-no-reply = 這不是回覆：{ $text }
deliver-leaves = 它要斷開：{ $text }
deliver-refuses = 它拒絕 { $what }：{ $text }
deliver-refuses-message = 它拒絕這封郵件：{ $text }
deliver-refuses-session = 它拒絕工作階段：{ $text }
deliver-command-later = 該命令表示暫時失敗（結束碼 75）
deliver-command-none = 無法執行該命令（結束碼 { $code }）
deliver-command-code = 該命令以結束碼 { $code } 結束
deliver-command-ended = 該命令被終止：{ $status }
mbox-link = { $file } 是其他使用者的連結
mbox-no-file = { $file } 不是檔案
mbox-no-messages = { $file } 不是郵件檔案：它不以 From 行開頭
mbox-locked = 另一個程式已將其鎖定：{ $file }
doctor-names-alias = { $host } 是 { $target } 的別名
doctor-names-alias-means = 憑證必須與您使用的名稱相符，而不是與那個名稱相符。
state-nothing = 沒有關於 { $account } 的記錄
state-ask = 已記錄 { $account } 的 { $count } 封郵件。要忘記它們，以便下次執行在伺服器上仍有時重新收取嗎？[y/N]
state-not-forgotten = 沒有忘記任何內容。
state-forgotten = 已忘記 { $account } 的 { $count } 封郵件；下次執行會收取伺服器上的郵件
state-no-terminal = 沒有可供詢問的終端機；--yes 不詢問直接忘記
demo-begins =
    一個 POP3 伺服器正在本機執行。它的 Maildir 中有 { $count } 封郵件。
    用戶端（C）從伺服器（S）收取這些郵件。它們的對話如下：
demo-authorization = AUTHORIZATION：用戶端登入
demo-transaction = TRANSACTION：用戶端列出並收取郵件
demo-update = UPDATE：伺服器刪除已標記的郵件，工作階段結束
demo-more-lines = （還有 { $count } 行）
demo-message = （郵件內容：{ $size }）
demo-handshake = （TLS 交握；此後的所有資料均已加密）
demo-fetched =
    所有郵件都已收取到另一個 Maildir，與傳送的內容逐位元組相同。

    收取您自己的郵件：  pop3 fetch you@example.org              （pop3 fetch --help）
    收不到郵件時：      pop3 doctor you@example.org             （pop3 doctor --help）
    提供 Maildir 服務： pop3 serve --users FILE --mail PATH …   （pop3 serve --help）
demo-on-a-terminal =
    要用您自己的郵件程式連線到此伺服器，請在終端機中執行 `pop3 demo`，不要加 --once。伺服器會一直執行到
    按下 Ctrl-C，並顯示郵件程式所需的設定：POP3、127.0.0.1、一個 STARTTLS 連接埠、一個 SSL/TLS 連接埠、
    使用者名稱和密碼。
demo-settings =
    要用您自己的郵件程式連線到此伺服器，請使用以下設定：
      協定         POP3
      伺服器       { $host }
      安全         STARTTLS，連接埠 { $plain }；或 SSL/TLS，連接埠 { $tls }
      使用者名稱   { $user }
      密碼         { $password }
    伺服器的憑證由它自己簽署，因此您的程式會詢問一次是否信任它。
    例如：
demo-until =
    收取的郵件在
      { $folder }

    伺服器會一直執行，直到您按下 Ctrl-C。屆時兩個 Maildir 和憑證都會被刪除。
demo-incomplete = 只收取了 { $count } 封郵件：{ $problems }
demo-differ = 收取的郵件與伺服器上的不同；這是程式的錯誤，請回報
demo-folder = 無法建立暫存資料夾：{ $error }
cannot-listen = 無法監聽 { $address }：{ $error }
serve-nowhere = 沒有可監聽的位址
serve-nowhere-next = 請給出 --listen 或 --listen-tls，或兩者都給出。
serve-no-certificate = 沒有憑證，任何使用者都無法登入
serve-no-certificate-next = 請給出 --cert 和 --key；在您信任的網路中可用 --dangerously-cleartext。
serve-users-next = `pop3 passwd FILE NAME` 會建立該檔案並新增使用者。
serve-mail = --mail { $path } 不是一個能指明使用者的路徑：用 %u，用 %n 和 %d，或在開頭用 %h
serve-mail-next = 請給出類似 --mail '/home/%u/Maildir' 的路徑。
passwd-new = { $user } 的新密碼：
passwd-repeat = 再次輸入新密碼：
passwd-differ = 兩次輸入的密碼不同；沒有任何變更
passwd-empty = 密碼為空；沒有任何變更
passwd-name = { $user } 不能作為使用者名稱
passwd-name-next = 使用者名稱不得包含 / 或 :，不得以 # 或 - 開頭，也不得以句點或空格開頭或結尾。
passwd-set = { $user } 可以用新密碼登入。
stdin-no-password = 標準輸入的第一行沒有密碼
stdout-failed = 無法寫入標準輸出：{ $error }
problem-no-unique-id = { $count } 封郵件未收取：伺服器沒有給出唯一識別碼（不帶 --delete-after 和 --keep-newest 的 --delete 會收取這樣的郵件）
problem-not-listed = { $count } 封郵件未收取：伺服器統計的郵件多於它列出的郵件
problem-set-aside = 郵件 { $number } 已擱置：多次嘗試收取均失敗；每天再試一次
problem-session-broke = 郵件 { $number } 未收取：{ $error }；{ $next }
problem-not-retrieved = 郵件 { $number } 未收取；伺服器回覆：{ $reply }
problem-not-deleted = 郵件 { $number } 無法刪除；伺服器回覆：{ $reply }
problem-wrong-size = 郵件 { $number } 有 { $octets } 位元組，而伺服器宣布的是 { $announced } 位元組，因此它留在伺服器上；{ $next }
problem-next-aside = 它已擱置，每天再試一次
problem-next-again = 下次再試
problem-next-short = 已按收到的內容儲存，可能不完整
problem-next-stored = 已按收到的內容儲存
problem-not-all-removed = 伺服器沒有移除所有已刪除的郵件：{ $error }
problem-removal-unknown = 不知道伺服器是否移除了已刪除的郵件：{ $error }
problem-next-session = 其餘郵件等待下次執行：{ $error }
error-closed = 伺服器{ $when }關閉了連線
error-closed-idle = 在沒有收到任何請求時
error-closed-greeting = 在問候之前
error-closed-reply = 在回覆 { $verb } 之前
error-closed-rest = 在回覆 { $verb } 的中途
error-not-pop3 = 伺服器在這裡不使用 POP3：它傳送了「{ $sent }」{ $service }
error-service-imap = 那是 IMAP 伺服器；POP3 通常在連接埠 995 或 110
error-service-smtp = 那是 SMTP 或 FTP 伺服器；POP3 通常在連接埠 995 或 110
error-service-ssh = 那是 SSH 伺服器
error-service-web = 那是網頁伺服器
error-service-tls = 那是 TLS：請在此連接埠使用隱式 TLS
error-cleartext-login = 拒絕在沒有 TLS 時登入；請使用 TLS 或 STLS，或明確允許明文登入
error-no-mechanism = 伺服器沒有提供在此可用且允許的登入方式
error-tls-wrong-name = TLS：伺服器的憑證屬於另一台主機{ $names }
error-tls-names = ：它屬於 { $names }
error-tls-names-more = ：它屬於 { $names } 等
error-tls-untrusted = TLS：伺服器的憑證不可信任：{ $error }
error-tls-nothing-in-common = TLS：雙方沒有共同的 TLS 版本或加密演算法：{ $error }
accounts-place = { $file }，帳號 { $account }
serve-keys = 鍵就是 pop3 serve 的選項；pop3 serve --help 列出它們。
serve-users = 沒有給出使用者檔案
serve-users-give = 請給出 --users，或在 --config 的檔案中給出鍵 users。
serve-mail-none = 沒有給出郵件的位置
serve-run-as = --run-as { $name }：{ $error }
serve-run-as-no-user = 沒有這個使用者
serve-run-as-no-group = 沒有這個群組
serve-run-as-root = 這就是 root
serve-run-as-kept = 仍可重新取得 root 權限
serve-run-as-next = 只有 root 能變成另一個使用者。請以 root 啟動伺服器，或去掉 --run-as。
serve-check-listen = 監聽 { $address }（{ $kind }）
serve-check-certificate = 憑證 { $file }：用於 { $names }，有效期至 { $date }
serve-check-ended = 憑證 { $file }：用於 { $names }；已於 { $date } 到期，用戶端會拒絕它
serve-check-users = { $file } 中有 { $count } 個使用者
serve-check-mail = { $user } 的郵件在 { $path }
serve-check-no-mail = { $user } 的郵件應在 { $path }，但它不存在：{ $user } 將看不到郵件
serve-check-run-as = 以 { $name } 的身分執行
serve-check-as-root = 以 root 身分執行：請給出 --run-as，使伺服器的錯誤不會危及整台機器
serve-check-mechanisms = 登入方式：{ $mechanisms }
serve-check-sessions = 最多 { $count } 個工作階段，同一來源最多 { $source } 個
serve-check-good = 設定正確。沒有啟動任何內容。
serve-run-as-users = --run-as 的使用者 { $name } 必須能夠讀取使用者檔案。
fetch-ids-changed = { $account }：伺服器給所有郵件換了唯一識別碼，如同搬遷之後；按內容認出了 { $count } 封郵件，沒有再次儲存
error-ids-changed = 伺服器給所有郵件換了唯一識別碼
advice-ids-changed = 郵件是否搬到了另一台伺服器？--on-uid-change compare 不會重複儲存；--on-uid-change fetch 把所有郵件當作新郵件。
serve-per-user = --per-user 需要 root：{ $error }
serve-check-per-user = 以各 Maildir 擁有者的權限存取它
config-own-key = { $place }：鍵 { $key } 屬於單一帳號，不屬於所有帳號
accounts-one-pin = --pin 只用於一個帳號的伺服器：請指明帳號，或把它寫成該帳號的鍵
serve-needs = { $option } 還需要 { $other }
serve-check-no-place = --mail 的路徑無法用於 { $user }：名稱中沒有 @ 之後的部分，或使用者檔案沒有指明家目錄
