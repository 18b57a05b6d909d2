# 本程序的简体中文文本。

check-settings = 设置
check-names = 域名
check-network = 网络
check-service = 服务
check-tls = TLS
check-pop3 = POP3
check-login = 登录
check-mailbox = 邮箱
check-speed = 速度

password-account = 登录需要邮箱密码。
password-app = 登录需要应用专用密码，不是网页登录密码。
password-code = 登录需要授权码，不是网页登录密码。
password-token = 登录需要访问令牌（OAuth）；密码会被拒绝。
password-app-or-token = 登录需要应用专用密码（不是网页登录密码）或访问令牌（OAuth）。

doctor-settings = { $host }，端口 { $ports }；没有指定用户
doctor-settings-user = { $host }，端口 { $ports }，用户 { $user }
doctor-settings-provider = { $provider }：{ $host }，端口 { $ports }，用户 { $user }
doctor-settings-guess = 猜测：{ $host }，端口 { $ports }，用户 { $user }
doctor-settings-guess-means = 本程序不知道这个地址的服务商。如果主机是另一个，请用 --host 指定。
doctor-settings-no-pop3 = { $provider } 不能使用 POP3：{ $why }
doctor-unknown-address = 不知道 { $address } 的 POP3 服务器
doctor-unknown-address-next = 请指定：pop3 doctor 地址 --host pop.example.org
doctor-advice = { $provider }：{ $text }
doctor-password-prompt = { $user } 的密码（按回车跳过登录）：{ " " }

doctor-names = { $host } 的地址是 { $addresses }
doctor-names-unknown = 没有名为 { $host } 的主机
doctor-names-unknown-means = 名称写错了，或者服务商已经停用它。
doctor-names-unknown-next = 请检查拼写。服务商的帮助页面会写明主机名，通常带有 POP 或 POP3 字样。
doctor-names-no-resolver = 现在无法查询域名 { $host }
doctor-names-no-resolver-means = 本机的域名服务器（DNS）没有应答。
doctor-names-no-resolver-next = 请检查网络。如果其他域名也不能用，请重启路由器或更换域名服务器。
doctor-names-private = { $host } 的地址是 { $addresses }，属于内部网络
doctor-names-private-means = { $provider } 的服务器在互联网上。网络中有东西改变了域名的指向。
doctor-names-private-next = 请用浏览器打开一个网页：酒店和车站的网络要求先登录。否则请检查 hosts 文件、防火墙和杀毒软件。

doctor-network = { $address } 端口 { $port } 接受连接
doctor-network-refused = { $address } 端口 { $port } 拒绝连接
doctor-network-refused-means = 主机存在，但没有服务器监听这个端口。
doctor-network-refused-next = 请检查主机和端口：995 用于 TLS，110 用于 STLS。如果是自己的机器，请启动服务器。
doctor-network-silent = { $address } 端口 { $port } 没有应答
doctor-network-silent-means = 途中的防火墙丢弃了数据包，或者主机没有开机。
doctor-network-silent-next = 请换一个网络，例如手机热点。有些网络和杀毒软件会封锁邮件端口；其管理员可以开放 995 端口。
doctor-network-no-route = 本机没有到 { $address } 端口 { $port } 的路由
doctor-network-no-route-means = 网络已断开，或者缺少路由。
doctor-network-no-route-next = 请检查网线、无线网络或 VPN。
doctor-network-no-ipv6 = 本机没有 IPv6，因此跳过 { $address } 端口 { $port }；IPv4 可用
doctor-network-ipv6-means = 这里 IPv6 不通，IPv4 可用。每次连接可能都要先等待 IPv6。
doctor-network-ipv6-next = 请通知网络或服务器的管理员。在此之前仍能收信，只是可能较慢。
doctor-network-other = { $address } 端口 { $port }：{ $error }

doctor-service-tls = 端口 { $port } 是 TLS 上的 POP3：“{ $text }”
doctor-service-clear = 端口 { $port } 是 POP3：“{ $text }”
doctor-service-slow-means = 问候语来得很慢。服务器繁忙，或者它在查询每个客户端的地址。
doctor-service-has-tls = 端口 { $port } 一开始就使用 TLS，而尝试时没有用
doctor-service-has-tls-next = 请去掉 --stls：端口 { $port } 从一开始就使用 TLS。
doctor-service-no-tls = 端口 { $port } 是不带 TLS 的 POP3，而尝试时用了 TLS
doctor-service-no-tls-next = 请对端口 { $port } 使用 --stls，或者使用 995 端口。
doctor-service-refuses = 端口 { $port } 拒绝会话：“{ $text }”
doctor-service-refuses-means = 服务器存在，但现在不接受会话：连接太多、正在维护，或者封锁了本机地址。
doctor-service-refuses-next = 请过几分钟再试，并减少同时连接的程序。
doctor-service-imap = 端口 { $port } 是 IMAP 服务器
doctor-service-smtp = 端口 { $port } 是 SMTP 或 FTP 服务器
doctor-service-ssh = 端口 { $port } 是 SSH 服务器
doctor-service-http = 端口 { $port } 是网页服务器
doctor-service-portal-means = 服务商在那里有邮件服务器。网络中有别的东西在代替它应答：酒店或车站的登录页面，或者代理。
doctor-service-portal-next = 请用浏览器打开一个网页，登录网络，然后再试。
doctor-service-unknown = 端口 { $port } 不是 POP3：“{ $text }”
doctor-service-usual-ports = POP3 通常在 995 端口，或者在带 STLS 的 110 端口。
doctor-service-silent = 端口 { $port } 接受连接，但什么也不说
doctor-service-silent-means = 服务器没有反应，或者防火墙、杀毒软件接管了连接而不转发。
doctor-service-silent-next = 请稍后再试，并关闭杀毒软件的邮件防护再试一次。
doctor-service-closed = 端口 { $port } 立即关闭每个连接
doctor-service-closed-means = 服务器封锁了本机地址，或者前面的代理没有可用的服务器。
doctor-service-closed-next = 请等几分钟：登录过多时服务器会封锁地址。否则请询问管理员。

doctor-tls = { $version }，{ $cipher }；证书属于 { $names }，由 { $issuer } 签发，有效期至 { $until }
doctor-tls-plain = { $version }，{ $cipher }
doctor-tls-soon-means = { $days ->
   *[other] 证书还有 { $days } 天到期，早该续期了。
}
doctor-tls-soon-next = 请通知服务器的管理员。如果是自己的服务器，请续期证书并重新加载。
doctor-tls-expired = { $host } 的证书已于 { $until } 过期
doctor-tls-expired-means = 管理员没有续期，或者本机时钟不对：现在显示 { $today }。
doctor-tls-expired-next = 请检查本机日期。如果日期正确，请通知管理员。修复之前不要发送密码。
doctor-tls-not-yet = { $host } 的证书尚未生效
doctor-tls-not-yet-means = 很可能是本机时钟不对：现在显示 { $today }。
doctor-tls-not-yet-next = 请校准本机时钟，然后再试。
doctor-tls-wrong-name = 证书不属于 { $host }，而属于 { $names }
doctor-tls-wrong-name-means = 服务器使用另一个名称，或者网络中有别的东西在代替它应答。
doctor-tls-wrong-name-next = 如果那个名称属于您的服务商，请把它用作主机名。否则不要发送密码。
doctor-tls-self-signed = { $host } 的证书是它自己签发的
doctor-tls-unknown-issuer = { $host } 的证书由 { $issuer } 签发，本机不信任它
doctor-tls-own-means = 无法证明这就是正确的服务器。自己的服务器常常如此；如果是服务商，那就是攻击，或者是杀毒软件在读取邮件。
doctor-tls-own-next = 如果是自己的服务器，请在那里核对指纹（openssl x509 -noout -fingerprint -sha256 -in cert.pem）：{ $fingerprint }
doctor-tls-own-save = 如果一致，就可以信任它：给本命令加上 --save-certificate server.pem，然后给每个命令加上 --ca-file server.pem。
doctor-tls-too-old = { $host } 没有今天仍然安全的 TLS 版本或加密算法
doctor-tls-too-old-means = 服务器只提供 TLS 1.0 或 1.1，或者旧的加密算法，别人可以读取内容。
doctor-tls-too-old-next = 请通知管理员：TLS 1.2 是最低的安全要求。
doctor-tls-other = 与 { $host } 的 TLS 失败：{ $error }
doctor-tls-other-next = 请把这段文字告诉服务器的管理员。
doctor-tls-no-stls = 服务器在这个端口不提供 TLS（STLS）
doctor-tls-no-stls-means = 网络上的其他人可能读到密码和邮件，所以本程序什么也不发送。
doctor-tls-no-stls-next = 请使用 995 端口。如果服务器完全没有 TLS，请向管理员提出。
doctor-save-failed = 证书无法写入 { $file }：{ $error }

doctor-pop3 = 服务器支持 { $capabilities }
doctor-pop3-no-capa = 服务器不说明它支持什么（CAPA）
doctor-pop3-no-capa-means = 它比较旧。可以收信，但每次只能执行一个命令。
doctor-pop3-no-uidl-means = 没有 UIDL，本程序无法知道哪些邮件已经收取。
doctor-pop3-no-uidl-next = 请在 pop3 fetch 时使用 --delete：每封邮件收取一次，然后从服务器删除。

doctor-login = 已用 { $method } 以 { $user } 登录
doctor-login-other-next = 需要服务器的管理员查看日志。如果是自己的服务器，请查看它的日志。
doctor-login-skipped = 没有尝试登录
doctor-login-skipped-next = 要尝试登录，请提供密码：设置 POP3_PASSWORD、使用 --password-file，或者在询问时输入。
doctor-login-wrong = 服务器拒绝用户名或密码：“{ $text }”
doctor-login-wrong-means = 用户名或密码不对，或者密码的种类不对。
doctor-login-wrong-next = 请重新输入密码。用户名请分别试试完整地址和 @ 前面的部分（--user）。
doctor-login-other-password = 服务器需要另一种密码：“{ $text }”
doctor-login-other-password-means = 网页登录密码在这里不能用于邮件程序。
doctor-login-other-password-next = 请在服务商的网页上生成应用专用密码或授权码并使用它，或者使用访问令牌（--token-command）。
doctor-login-pop-off = 这个邮箱没有开启 POP：“{ $text }”
doctor-login-pop-off-means = 只有在用户开启之后，服务商才允许邮件程序登录。
doctor-login-pop-off-next = 请在服务商网页的邮箱设置中开启 POP3。
doctor-login-in-use = 另一个程序正在使用这个邮箱：“{ $text }”
doctor-login-in-use-means = 一个邮箱同时只能有一个会话。中断的旧会话可能要到超时才结束。
doctor-login-in-use-next = 请关闭其他邮件程序（包括手机上的），十分钟后再试。
doctor-login-delay = 服务器限制登录的频率：“{ $text }”
doctor-login-delay-means = 不久前刚登录过。
doctor-login-delay-next = 请稍后再试，并让邮件程序降低检查频率。
doctor-login-temporary = 服务器现在无法登录：“{ $text }”
doctor-login-temporary-next = 请过几分钟再试。
doctor-login-web = 服务商阻止了登录：“{ $text }”
doctor-login-web-means = 服务商要求用户先在网页上登录并确认。
doctor-login-no-mechanism = 没有双方都支持的登录方式
doctor-login-no-mechanism-means = 服务器只提供本程序没有的登录方式，或者不适用于密码的方式。
doctor-login-no-mechanism-next = 如果服务器需要令牌，请使用 --token-command。否则请向管理员要求 TLS 上的 PLAIN 或 SCRAM-SHA-256。
doctor-login-other = 登录失败：{ $error }

doctor-session-silent = { $seconds ->
   *[other] 服务器 { $seconds } 秒没有应答
}
doctor-session-silent-next = 请稍后再试，或者加大 --timeout。
doctor-session-closed = 服务器关闭了连接
doctor-session-closed-means = 有些服务器用断开代替拒绝：登录太多，或者被封锁。
doctor-session-closed-next = 请等几分钟再试。
doctor-session-other = { $error }
doctor-mailbox = { $messages ->
   *[other] { $messages } 封邮件，{ $octets } 字节
}
doctor-speed = 一个命令需要 { $milliseconds } 毫秒
doctor-speed-no-pipeline = 没有 PIPELINING，每封邮件都要等前一封的应答。
doctor-speed-pipeline = 一个命令需要 { $milliseconds } 毫秒；{ $count } 个命令逐个执行需要 { $apart } 毫秒，流水线执行需要 { $together } 毫秒

doctor-result-works = 可以收取邮件：{ $command }
doctor-result-no-login = 服务器可用；没有尝试登录。收取邮件的命令：{ $command }
doctor-result-fails = 无法收取邮件。标有 ✗ 的行说明原因和办法。
doctor-report-examined = 检查对象：{ $subject }

guide-overview = { $address } 的 POP3 设置
guide-title = 在 { $client } 中设置 { $address }
guide-before = 开始之前
guide-steps = 步骤
guide-checked = 适用于 { $version }。其他版本的名称可能不同。
guide-warning = 警告：{ $text }
guide-clients = 邮件程序的步骤：pop3 guide 地址 --client 名称。名称有：{ $names }。
guide-unknown-client = 不知道名为 { $client } 的邮件程序
guide-no-address = { $text } 不是邮件地址
guide-name-host = 请指定服务器：pop3 guide 地址 --host pop.example.org
guide-field-host = 服务器
guide-field-port = 端口
guide-field-security = 安全
guide-field-user = 用户名
guide-field-password = 密码
guide-security-tls = 从一开始使用 TLS（SSL/TLS）
guide-security-stls = STLS（STARTTLS）
guide-password-account = 邮箱密码
guide-password-app = 应用专用密码
guide-password-code = 授权码
guide-password-token = 留空：程序必须能在浏览器中登录（OAuth），否则不能使用
guide-your-name = 您的名字，别人会看到
guide-smtp = 服务商给出的发信服务器
guide-switch-on = 在 { $provider } 开启 POP 并取得密码：{ $text }
guide-poll = { $minutes ->
   *[other] { $provider } 每 { $minutes } 分钟接受一次登录。
}
guide-deletion = { $provider } 的删除：{ $text }
guide-help = { $provider } 的帮助：{ $text }
guide-source = 以上信息来自 { $source }（{ $date }）。
guide-place-thunderbird = 用于 Thunderbird：请发布为 https://autoconfig.{ $domain }/mail/config-v1.1.xml
guide-place-outlook = 用于 Outlook：请发布为 https://autodiscover.{ $domain }/autodiscover/autodiscover.xml，对 POST 也这样应答
guide-place-apple = 用于 Mac、iPhone 和 iPad 的 Apple 邮件：发送给用户，或者提供下载

introduction =
    pop3 通过 POP3 收取邮件、提供邮件服务，并说明哪里有问题。

      pop3 fetch you@example.org     把新邮件收取到 ~/Mail/you@example.org
      pop3 doctor you@example.org    找出收不到邮件的原因
      pop3 serve --help              提供本机的邮件

    pop3 --help 列出全部内容；pop3 demo 演示它如何工作。
fetch-interrupted = { $count ->
    [0] 已中断；本次没有保存邮件。下次继续。
   *[other] 已中断；本次的 { $count } 封邮件已安全保存。下次收取其余邮件。
}
fetch-no-maildir = { $folder } 不是空的，也不是 Maildir
fetch-no-maildir-next = 请指定新的或空的文件夹，或者 Maildir：其中有 cur、new 和 tmp 文件夹。

read-empty = 没有邮件。
read-newest = 以上是 { $count } 封邮件中最新的 { $shown } 封；--all 列出全部。
read-no-message = 没有第 { $number } 封邮件
read-no-maildir = { $folder } 不是 Maildir
read-delete-local = --delete 用于服务器上的邮件；在 Maildir 中请删除文件
read-ask = { $count ->
   *[other] 从服务器删除这 { $count } 封邮件吗？删除后无法恢复。[y/N]
}
read-yes = y yes 是
read-no-terminal = 没有可以询问的终端；--yes 不询问就删除
read-nothing-deleted = 没有删除。
read-refused = 服务器拒绝删除第 { $number } 封邮件，因此没有删除任何邮件
read-deleted = { $count ->
   *[other] 已从服务器删除 { $count } 封邮件。
}
read-no-text = （这封邮件没有文字。）
read-attachment = 附件：{ $name }（{ $octets } 字节）
read-from = 发件人
read-to = 收件人
read-cc = 抄送
read-date = 日期
read-subject = 主题

accounts-none = 没有配置账户
accounts-none-next = 请指定地址：pop3 fetch 地址。或者添加账户：pop3 accounts add 地址
accounts-unknown = 没有名为 { $account } 的账户；pop3 accounts list 列出全部
accounts-exists = { $file } 中已经有名为 { $account } 的账户
accounts-exists-next = 请给这个账户另一个名称：--name 名称
accounts-no-home = 没有地方存放账户文件：请设置 HOME 或 XDG_CONFIG_HOME
accounts-no-maildir = 主机名还需要 Maildir：pop3 accounts add 主机 MAILDIR --user 用户
config-unknown-key = { $place }：没有名为 { $key } 的键
config-similar-key = 有一个相似的键：{ $key }
accounts-keys = 键就是 pop3 fetch 的选项；pop3 fetch --help 列出它们。
config-wrong-type = { $place }：{ $key } 的值类型不对
config-wrong-key = { $place }：{ $error }
accounts-no-server = { $place }：缺少键 server；它是邮件地址或主机名
accounts-works = { $count ->
   *[other] { $account }：可以登录；服务器上有 { $count } 封邮件
}
accounts-added = { $count ->
   *[other] 已把 { $account } 添加到 { $file }；服务器上有 { $count } 封邮件。收取：pop3 fetch
}
accounts-store = 把密码存放在只有您能读取的 { $file } 吗？[Y/n]

conformance-seen = 服务器：“{ $seen }”
conformance-login-refused = 服务器拒绝登录，因此只检查了登录之前的条款；不带 --conformance 的 pop3 doctor 会说明原因
conformance-greeting = 问候语以 +OK 开头。
conformance-greeting-length = 问候语最多 512 字节。
conformance-capa = 服务器应答 CAPA。
conformance-capa-lines = CAPA 的每一行最多 512 字节，且没有空行。
conformance-unknown = 未知命令的应答是 -ERR。
conformance-state = 登录前 STAT 的应答是 -ERR。
conformance-pass-first = 没有 USER 的 PASS 的应答是 -ERR。
conformance-empty = 空行的应答是 -ERR。
conformance-stls-twice = TLS 上的 STLS 的应答是 -ERR。
conformance-stls-offered = TLS 上不提供 STLS。
conformance-long-line = 255 字节的命令行作为一个命令读取。
conformance-pipelining = 一起发送的命令逐个按顺序应答。
conformance-cancel = 用星号取消登录，应答是 -ERR。
conformance-case = 命令可以小写。
conformance-quit = QUIT 之后服务器关闭连接。
conformance-open = 连接仍然打开
conformance-injection = STLS 之后的明文命令不会在 TLS 上得到应答。
conformance-injected = 明文发送的命令在 TLS 上得到了应答：网络上的攻击者可以注入命令
conformance-noop = NOOP 的应答是 +OK。
conformance-stat = STAT 的应答是邮件的数量和大小。
conformance-list = LIST 的邮件数和字节数与 STAT 相同。
conformance-list-one = 带编号的 LIST 的应答只有一行。
conformance-uidl = 唯一标识有 1 到 70 个可打印字符，且互不相同。
conformance-zero = 邮件编号 0 的应答是 -ERR。
conformance-beyond = 超过最后一封的编号的应答是 -ERR。
conformance-no-number = 不是数字的编号的应答是 -ERR。
conformance-logged-in = 登录后 USER 的应答是 -ERR。
conformance-rset = RSET 的应答是 +OK。
conformance-update = 登录后 QUIT 的应答是 +OK。
conformance-result = { $broken ->
    [0] 能够检查的 { $count } 条全部符合。
   *[other] 能够检查的 { $count } 条中有 { $broken } 条不符合。
}

error-connect = 无法连接 { $host } 端口 { $port }：{ $cause }
error-silent = 服务器 { $time } 没有应答或者太慢（{ $waiting }）
error-seconds = { $count } 秒
error-milliseconds = { $count } 毫秒
error-refused = 服务器拒绝 { $verb }{ $reply }
error-no-session = 服务器现在拒绝会话{ $reply }
error-tls-unknown-issuer = TLS：服务器的证书不是由受信任的机构签发的
error-tls-self-signed = TLS：服务器的证书是它自己签发的，无法证明属于谁
error-tls-expired = TLS：服务器的证书已过期：{ $date }，{ $days } 天前
error-tls-not-yet = TLS：服务器的证书尚未生效：{ $date }，还有 { $days } 天；本机时钟对吗？
error-tls-none = TLS：服务器在这个端口不使用 TLS
error-no-unique-ids = 服务器不支持 UIDL，无法区分已收取的邮件和新邮件
error-unique-ids-unavailable = 服务器现在不列出唯一标识
error-locked = 另一个运行正在把 { $account } 收取到这个 Maildir
error-listed-twice = 服务器的列表中同一封邮件出现两次，不可信
error-endless-listing = 服务器列出的邮件远多于它的计数，不可信
waiting-greeting = 等待问候语
waiting-login = 等待登录
waiting-reply = 等待应答
waiting-message = 接收邮件
waiting-end = 等待会话结束
waiting-handshake = TLS 握手
waiting-command = 发送命令
advice-in-use = 另一个程序正在读取这个邮箱。请过几分钟再试。
advice-login-delay = 服务器要求两次登录之间有间隔。请稍后再试。
advice-login-delay-seconds = 服务器要求两次登录之间间隔 { $seconds } 秒。请在此之后再试。
advice-temporary = 服务器有临时故障。请稍后再试。
advice-permanent = 服务器有故障，需要其管理员修复。
advice-not-tls = 对不以 TLS 开始的端口（通常是 110）请使用 --stls。
advice-self-signed = 如果是自己的服务器，请从那里复制证书，并用 --ca-file 指定。
advice-unknown-issuer = 如果服务器使用私有证书，请向管理员索取，并用 --ca-file 指定。
advice-wrong-name = 请使用证书中的主机名。
advice-switched-off = 这个账户没有开启 POP3。请在服务商网页的邮箱设置中开启。
advice-other-password = 服务商需要另一种密码：其网页上的应用专用密码或授权码，或者访问令牌（--token-file、--token-command）。
advice-ambiguous = 服务器同时给出了几个原因：密码错误、密码种类不对（请试授权码）、POP3 未开启，或者登录太多。
advice-connect = 请检查主机名、端口和网络。
advice-cleartext = 请使用 TLS，或者在可信的网络中使用 --dangerously-cleartext。
advice-hung-up = 有些服务器在用户名或密码错误时不应答就断开。请检查两者。
advice-no-unique-ids = 请只使用 --delete：每封邮件收取一次，然后从服务器删除。
advice-later = 请稍后再试。
advice-locked = 请等另一个运行结束。
advice-token = 请用 --token-command 或 --token-file 提供令牌。
advice-tls-port = 一开始就使用 TLS 的端口（通常是 995）不需要 --stls 或 --dangerously-cleartext。
advice-disk = 只有已安全存盘的邮件才从服务器删除。请修复磁盘后再运行。
advice-provider-pop-off = { $provider } 表示这个邮箱没有开启 POP。
advice-provider-too-often = { $provider } 限制程序登录的频率。请稍后再试。
advice-provider-blocked = { $provider } 封锁了这个账户。请登录其网页查看原因。
advice-provider-web-login = { $provider } 要求先在其网页上登录。
wants-account = { $provider } 需要邮箱密码
wants-app = { $provider } 需要应用专用密码，不是网页登录密码
wants-code = { $provider } 需要授权码，不是网页登录密码
wants-token = { $provider } 需要访问令牌（OAuth）；密码会被拒绝
wants-app-or-token = { $provider } 需要应用专用密码（不是网页登录密码）或访问令牌（OAuth）
password-prompt = { $account } 的密码：{ " " }
password-none = 没有提供密码，也没有可以询问的终端
password-none-next = 请设置 POP3_PASSWORD，或者使用 --password-file 或 --password-command。
fetch-guessed = 猜测的服务器：{ $host }；它以 POP3 服务器问候，证书与此名称相符
fetch-settings = { $host }，端口 { $port }，用户 { $user }；邮件存放到 { $folder }
fetch-other-user = 用户名是 { $user }，不是完整地址；下次用 --user { $user } 就不需要第二次登录
fetch-no-pop3 = { $address } 不能通过 POP3 收取：{ $why }
fetch-no-guess = 该域没有为邮件程序公布设置，并且 pop.{ $domain }、pop3.{ $domain }、mail.{ $domain } 和 { $domain } 都不是带有相符证书的 POP3 服务器。
fetch-name-host = 请指定：pop3 fetch 地址 --host pop.example.org。服务商的帮助页面会写明主机名，通常带有 POP 或 POP3 字样。
fetch-stored = { $count ->
   *[other] { $count } 封邮件已安全保存。请再次运行命令收取其余邮件。
}
fetch-nothing = 没有新邮件
fetch-fetched = { $count ->
   *[other] 收取 { $count } 封邮件（{ $size }）
}
fetch-deleted = 从服务器删除 { $count } 封
fetch-known = { $count } 封已知
fetch-kept = { $count } 封仍在服务器上，尽管它确认了删除
fetch-too-large = { $count } 封超过大小限制，留在服务器上
fetch-comma = ，
fetch-some-failed = 其余都已完成。下次运行会再试。
accounts-proxy-password = 代理的密码不会写入账户文件：请去掉 --proxy，收取时设置 POP3_PROXY
accounts-password-exists = 文件 { $file } 已经存在；请删除它，或者用 --name 给账户另一个名称
accounts-one-password = POP3_PASSWORD 只用于一个账户，而有几个账户没有自己的密码：请在各自的部分使用 password-file 或 password-command
conformance-withheld = （不显示：其中含有密码）
conformance-token = --conformance 用密码登录，不能用令牌
accounts-wrong-name = 账户需要一个没有控制字符的名称：--name 名称
accounts-not-utf8 = 账户文件使用 UTF-8，而某个路径或选项不是 UTF-8；请改用别的
guide-control = { $text } 中有控制字符
fetch-plan-fetch = 收取
fetch-plan-fetch-and-delete = 收取，然后从服务器删除
fetch-plan-compare = 重新收取并比较：其唯一标识不能说明是否已保存
fetch-plan-delete = 从服务器删除：已保存
fetch-plan-too-large = 留下：超过大小限制
fetch-plan-set-aside = 暂时留下：多次尝试失败
fetch-plan-no-unique-id = 留下：没有唯一标识
fetch-plan-known = 已保存
fetch-plan = 将收取 { $fetch } 封（{ $size }），将删除 { $delete } 封，已保存 { $known } 封。没有收取或删除任何邮件。
fetch-plan-compare-and-delete = 重新收取并比较，然后从服务器删除
state-of = { $folder } 中的 { $account } 已知：
state-stored = 已保存
state-suspect = 已保存，但可能不完整
state-deleting = 已请求删除
state-deleted = 已从服务器删除
state-kept = 服务器确认了删除，但邮件仍在
state-elsewhere = 由其他程序收取
state-imported = 已为 { $account } 接收 { $count } 封邮件的记录，{ $known } 封此前已知
state-others = { $file } 中没有 { $user }（{ $host }）的列表
state-others-next = 其中有：{ $others }。请用 --user 指定用户，用 --host 指定服务器。
source-srv = SRV 记录
source-autoconfig = 公布的设置
source-guess = 推测
fetch-looking = 正在查找 { $address } 的服务器
fetch-found-srv = SRV 记录指出服务器 { $host }；它的证书与此名称相符
fetch-found-autoconfig = 该域为邮件程序公布了设置：服务器是 { $host }
advice-kept = 该服务器于 { $date } 通过{ $source }找到，并保存在 { $file } 中。删除其中的条目即可重新查找。
srv-not-offered = { $domain } 的 SRV 记录表明它不提供 POP3
srv-ask = SRV 记录指出服务器 { $host }，它不属于 { $domain }。这是您的服务商的服务器吗？[y/N]
srv-elsewhere = SRV 记录指出服务器 { $host }，它不属于 { $domain }；这样的记录可能是伪造的
srv-elsewhere-next = 如果它是您的服务商的服务器，请指明：--host { $host }
doctor-settings-srv = 由 SRV 记录找到：{ $host }，端口 { $ports }，用户 { $user }
doctor-settings-autoconfig = 在该域公布的设置中找到：{ $host }，端口 { $ports }，用户 { $user }
advice-oauth = 请在其网页上登录：pop3 login { $account } --oauth-client-id ID，其中 ID 属于您自己注册的程序：
oauth-unknown = 不知道 { $host } 在哪里提供 OAuth 授权
oauth-unknown-next = 请指明地址：--oauth-token-url，以及 --oauth-authorize-url 或 --oauth-device-url。
oauth-no-home = 没有可以保存授权的主目录；请设置 HOME 或 XDG_STATE_HOME
oauth-no-client = OAuth 登录需要客户端 ID
oauth-no-client-next = 请在服务商处注册一个程序，并用 --oauth-client-id 或账户的 oauth-client-id 键给出其 ID。
oauth-none = 尚无访问 { $user } 邮箱的授权，或授权已失效
oauth-none-next = 请在终端上用相同的选项登录：pop3 login { $account }
oauth-device = 要允许本程序读取 { $user } 的邮件，请在任意设备上打开 { $url } 并输入代码 { $code }
oauth-browser = 要允许本程序读取 { $user } 的邮件，请在本机的浏览器中打开此页面：
oauth-paste = 页面最后会停在一个可能打不开的地址。请把该地址粘贴到这里：
oauth-not-pasted = 这不是本次登录结束时的地址：{ $text }
oauth-late = 网页登录没有在十分钟内完成
oauth-page-done = 程序已获得授权。您可以关闭此页面。
oauth-page-refused = 程序未获得授权，原因由程序说明。您可以关闭此页面。
oauth-scope = 警告：服务商没有授予权限 { $scope }，邮件服务器可能会拒绝登录
oauth-unreachable = 无法从 { $url } 取得令牌：{ $error }
oauth-unreadable = 其答复不符合 OAuth 2.0
oauth-refused = 服务商不授权：{ $text }
deliver-done = 已转交 { $count } 封邮件
deliver-waiting = { $count } 封邮件在 { $folder } 中等待下次运行，在那里是安全的。
deliver-failed = { $destination }：{ $error }
deliver-no-recipient = { $destination } 需要收件人：--recipient ADDRESS
deliver-and-maildir = 邮件要么进入 Maildir，要么按 --deliver-to 转交；--deliver-to maildir:文件夹 可在其他目的地之外再加一个 Maildir
deliver-no-home = 没有可供邮件等待的主目录；请设置 HOME 或 XDG_STATE_HOME
fetch-works-again = 恢复正常
timer-accounts = 定时器收取配置中的账户；请用 pop3 accounts add 添加此账户
timer-cron = 这里没有 systemd。在 crontab -e 中加入这一行效果相同：{ $line }
timer-installed = 定时器位于 { $folder }。启动它：systemctl --user daemon-reload && systemctl --user enable --now pop3-fetch.timer（若要在注销后运行，再执行 sudo loginctl enable-linger）。
fetch-later = { $count } 封留待下次运行
fetch-plan-later = 留待下次运行：超过限制
config-missing-key = { $place }：缺少另一个键所需的键 { $key }
oauth-proxy = OAuth 登录只能经过 HTTP 代理；请去掉代理，或用 --token-command 提供令牌
accounts-removed = 已从 { $file } 中移除 { $account }。其邮件保留，{ $state } 中等待的邮件和 OAuth 授权也保留。
accounts-not-removed = 无法将 { $account } 的表与其他表区分；请用编辑器从 { $file } 中删除
timer-options = 定时器按配置收取所有账户；请把其他选项作为账户的键写在配置中
url-scheme = POP3 服务器的 URL 以 pops:// 或 pop:// 开头
url-password = POP3 服务器的 URL 不含密码（RFC 2384）；其他用户可能会看到它
url-password-next = 请去掉它。程序会询问密码，或从 POP3_PASSWORD 或 --password-file 取得。
url-user = URL 中的用户名不是 UTF-8
url-auth = 在用户名之后，URL 可以写 ;auth=METHOD
url-method = URL 中的登录方式未知；pop3 fetch --help 列出了 --auth 的方式
host-wrong = { $text } 不是主机名
host-wrong-next = 例如：pop.example.org、pop.example.org:995、[2001:db8::1]:995 或 pops://joe@pop.example.org
target-no-settings = --autoconfig-file 用于邮件地址；主机名不需要设置
target-no-host = --host 用于邮件地址；主机名不需要另一个主机
target-twice = { $text } 与一个选项重复了同一内容；请去掉其中之一
target-no-user = 主机名还需要 --user
target-no-user-example = 例如：pop3 fetch pop.example.org --user joe ~/Maildir
target-address-enough = 使用邮件地址时，只需地址即可：pop3 fetch joe@gmail.com
place-no-maildir = 主机名还需要一个 Maildir
place-no-default = { $name } 没有默认文件夹
place-name-maildir = 请指定 Maildir：pop3 fetch ADDRESS MAILDIR
password-empty-file = { $file }：第一行为空
password-readable = 警告：其他用户可以访问 { $file }；请对它执行 chmod 600
password-netrc-home = 没有 .netrc 所在的主目录
password-netrc-none = { $file } 中没有 { $user } 在 { $host } 的密码
password-netrc-next = 请加入一行：machine { $host } login { $user } password …
password-no-credentials = 没有凭据：未设置 CREDENTIALS_DIRECTORY
password-no-credentials-next = --credential 用于带有 LoadCredential= 或 LoadCredentialEncrypted= 的 systemd 服务。
password-credential-name = { $name } 不是凭据的名称
password-command-failed = 密码命令失败：{ $error }
token-command-failed = 令牌命令失败：{ $error }
password-command-silent = 它没有输出任何内容
token-not-ascii = 访问令牌含有非 ASCII 字节
deliver-circles = 一封邮件已被 { $count } 台服务器转发：它在循环
deliver-in-the-clear = { $address } 是另一台机器，邮件会以明文发往那里
deliver-closed = 它关闭了连接
deliver-no-reply = 这不是答复：{ $text }
deliver-leaves = 它要断开：{ $text }
deliver-refuses = 它拒绝 { $what }：{ $text }
deliver-refuses-message = 它拒绝这封邮件：{ $text }
deliver-refuses-session = 它拒绝会话：{ $text }
deliver-command-later = 该命令表示暂时失败（退出码 75）
deliver-command-none = 无法运行该命令（退出码 { $code }）
deliver-command-code = 该命令以退出码 { $code } 结束
deliver-command-ended = 该命令被终止：{ $status }
mbox-link = { $file } 是其他用户的链接
mbox-no-file = { $file } 不是文件
mbox-no-messages = { $file } 不是邮件文件：它不以 From 行开头
mbox-locked = 另一个程序已将其锁定：{ $file }
doctor-names-alias = { $host } 是 { $target } 的别名
doctor-names-alias-means = 证书必须与您使用的名称相符，而不是与那个名称相符。
state-nothing = 没有关于 { $account } 的记录
state-ask = 已记录 { $account } 的 { $count } 封邮件。要忘记它们，以便下次运行在服务器上仍有时重新收取吗？[y/N]
state-not-forgotten = 没有忘记任何内容。
state-forgotten = 已忘记 { $account } 的 { $count } 封邮件；下次运行会收取服务器上的邮件
state-no-terminal = 没有可供询问的终端；--yes 不询问直接忘记
demo-begins =
    一个 POP3 服务器正在本机运行。它的 Maildir 中有 { $count } 封邮件。
    客户端（C）从服务器（S）收取这些邮件。它们的对话如下：
demo-authorization = AUTHORIZATION：客户端登录
demo-transaction = TRANSACTION：客户端列出并收取邮件
demo-update = UPDATE：服务器删除已标记的邮件，会话结束
demo-more-lines = （还有 { $count } 行）
demo-message = （邮件内容：{ $size }）
demo-handshake = （TLS 握手；此后的所有数据均已加密）
demo-fetched =
    所有邮件都已收取到另一个 Maildir，与发送的内容逐字节相同。

    收取您自己的邮件：  pop3 fetch you@example.org              （pop3 fetch --help）
    收不到邮件时：      pop3 doctor you@example.org             （pop3 doctor --help）
    提供 Maildir 服务： pop3 serve --users FILE --mail PATH …   （pop3 serve --help）
demo-on-a-terminal =
    要用您自己的邮件程序连接此服务器，请在终端中运行 `pop3 demo`，不要加 --once。服务器会一直运行到
    按下 Ctrl-C，并显示邮件程序所需的设置：POP3、127.0.0.1、一个 STARTTLS 端口、一个 SSL/TLS 端口、
    用户名和密码。
demo-settings =
    要用您自己的邮件程序连接此服务器，请使用以下设置：
      协议     POP3
      服务器   { $host }
      安全     STARTTLS，端口 { $plain }；或 SSL/TLS，端口 { $tls }
      用户名   { $user }
      密码     { $password }
    服务器的证书由它自己签名，因此您的程序会询问一次是否信任它。
    例如：
demo-until =
    收取的邮件在
      { $folder }

    服务器会一直运行，直到您按下 Ctrl-C。届时两个 Maildir 和证书都会被删除。
demo-incomplete = 只收取了 { $count } 封邮件：{ $problems }
demo-differ = 收取的邮件与服务器上的不同；这是程序的错误，请报告
demo-folder = 无法创建临时文件夹：{ $error }
cannot-listen = 无法监听 { $address }：{ $error }
serve-nowhere = 没有可监听的地址
serve-nowhere-next = 请给出 --listen 或 --listen-tls，或两者都给出。
serve-no-certificate = 没有证书，任何用户都无法登录
serve-no-certificate-next = 请给出 --cert 和 --key；在您信任的网络中可用 --dangerously-cleartext。
serve-users-next = `pop3 passwd FILE NAME` 会创建该文件并添加用户。
serve-mail = --mail { $path } 不是一个能指明用户的路径：用 %u，用 %n 和 %d，或在开头用 %h
serve-mail-next = 请给出类似 --mail '/home/%u/Maildir' 的路径。
passwd-new = { $user } 的新密码：
passwd-repeat = 再次输入新密码：
passwd-differ = 两次输入的密码不同；没有任何更改
passwd-empty = 密码为空；没有任何更改
passwd-name = { $user } 不能作为用户名
passwd-name-next = 用户名不得包含 / 或 :，不得以 # 或 - 开头，也不得以句点或空格开头或结尾。
passwd-set = { $user } 可以用新密码登录。
stdin-no-password = 标准输入的第一行没有密码
stdout-failed = 无法写入标准输出：{ $error }
problem-no-unique-id = { $count } 封邮件未收取：服务器没有给出唯一标识（不带 --delete-after 和 --keep-newest 的 --delete 会收取这样的邮件）
problem-not-listed = { $count } 封邮件未收取：服务器统计的邮件多于它列出的邮件
problem-set-aside = 邮件 { $number } 已搁置：多次尝试收取均失败；每天再试一次
problem-session-broke = 邮件 { $number } 未收取：{ $error }；{ $next }
problem-not-retrieved = 邮件 { $number } 未收取；服务器回复：{ $reply }
problem-not-deleted = 邮件 { $number } 无法删除；服务器回复：{ $reply }
problem-wrong-size = 邮件 { $number } 有 { $octets } 字节，而服务器宣布的是 { $announced } 字节，因此它留在服务器上；{ $next }
problem-next-aside = 它已搁置，每天再试一次
problem-next-again = 下次再试
problem-next-short = 已按收到的内容保存，可能不完整
problem-next-stored = 已按收到的内容保存
problem-not-all-removed = 服务器没有移除所有已删除的邮件：{ $error }
problem-removal-unknown = 不知道服务器是否移除了已删除的邮件：{ $error }
problem-next-session = 其余邮件等待下次运行：{ $error }
error-closed = 服务器{ $when }关闭了连接
error-closed-idle = 在没有收到任何请求时
error-closed-greeting = 在问候之前
error-closed-reply = 在回复 { $verb } 之前
error-closed-rest = 在回复 { $verb } 的中途
error-not-pop3 = 服务器在这里不使用 POP3：它发送了“{ $sent }”{ $service }
error-service-imap = 那是 IMAP 服务器；POP3 通常在端口 995 或 110
error-service-smtp = 那是 SMTP 或 FTP 服务器；POP3 通常在端口 995 或 110
error-service-ssh = 那是 SSH 服务器
error-service-web = 那是网页服务器
error-service-tls = 那是 TLS：请在此端口使用隐式 TLS
error-cleartext-login = 拒绝在没有 TLS 时登录；请使用 TLS 或 STLS，或明确允许明文登录
error-no-mechanism = 服务器没有提供在此可用且允许的登录方式
error-tls-wrong-name = TLS：服务器的证书属于另一台主机{ $names }
error-tls-names = ：它属于 { $names }
error-tls-names-more = ：它属于 { $names } 等
error-tls-untrusted = TLS：服务器的证书不可信任：{ $error }
error-tls-nothing-in-common = TLS：双方没有共同的 TLS 版本或加密算法：{ $error }
accounts-place = { $file }，账户 { $account }
serve-keys = 键就是 pop3 serve 的选项；pop3 serve --help 列出它们。
serve-users = 没有给出用户文件
serve-users-give = 请给出 --users，或在 --config 的文件中给出键 users。
serve-mail-none = 没有给出邮件的位置
serve-run-as = --run-as { $name }：{ $error }
serve-run-as-no-user = 没有这个用户
serve-run-as-no-group = 没有这个组
serve-run-as-root = 这就是 root
serve-run-as-kept = 仍可重新取得 root 权限
serve-run-as-next = 只有 root 能变成另一个用户。请以 root 启动服务器，或去掉 --run-as。
serve-check-listen = 监听 { $address }（{ $kind }）
serve-check-certificate = 证书 { $file }：用于 { $names }，有效期至 { $date }
serve-check-ended = 证书 { $file }：用于 { $names }；已于 { $date } 到期，客户端会拒绝它
serve-check-users = { $file } 中有 { $count } 个用户
serve-check-mail = { $user } 的邮件在 { $path }
serve-check-no-mail = { $user } 的邮件应在 { $path }，但它不存在：{ $user } 将看不到邮件
serve-check-run-as = 以 { $name } 的身份运行
serve-check-as-root = 以 root 身份运行：请给出 --run-as，使服务器的错误不会危及整台机器
serve-check-mechanisms = 登录方式：{ $mechanisms }
serve-check-sessions = 最多 { $count } 个会话，同一来源最多 { $source } 个
serve-check-good = 设置正确。没有启动任何内容。
serve-run-as-users = --run-as 的用户 { $name } 必须能够读取用户文件。
fetch-ids-changed = { $account }：服务器给所有邮件换了唯一标识，如同搬迁之后；按内容认出了 { $count } 封邮件，没有再次保存
error-ids-changed = 服务器给所有邮件换了唯一标识
advice-ids-changed = 邮件是否搬到了另一台服务器？--on-uid-change compare 不会重复保存；--on-uid-change fetch 把所有邮件当作新邮件。
serve-per-user = --per-user 需要 root：{ $error }
serve-check-per-user = 以各 Maildir 所有者的权限访问它
config-own-key = { $place }：键 { $key } 属于单个账户，不属于所有账户
accounts-one-pin = --pin 只用于一个账户的服务器：请指明账户，或把它写成该账户的键
serve-needs = { $option } 还需要 { $other }
serve-check-no-place = --mail 的路径无法用于 { $user }：名称中没有 @ 之后的部分，或用户文件没有指明主目录
