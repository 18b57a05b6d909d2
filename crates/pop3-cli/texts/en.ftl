# Texts of the program in English. Every language has the same texts with the same arguments, which a test checks.

## The names of the steps of `pop3 doctor`

check-settings = Settings
check-names = Names
check-network = Network
check-service = Service
check-tls = TLS
check-pop3 = POP3
check-login = Login
check-mailbox = Mailbox
check-speed = Speed

## Kinds of passwords

password-account = The login wants the password of the mailbox.
password-app = The login wants an app password, which is not the password of the web page.
password-code = The login wants an authorization code, which is not the password of the web page.
password-token = The login wants an access token (OAuth); passwords are refused.
password-app-or-token = The login wants an app password, which is not the password of the web page, or an access token (OAuth).

## Settings

doctor-settings = { $host }, port { $ports }; no user is named
doctor-settings-user = { $host }, port { $ports }, user { $user }
doctor-settings-provider = { $provider }: { $host }, port { $ports }, user { $user }
doctor-settings-guess = guessed: { $host }, port { $ports }, user { $user }
doctor-settings-guess-means = The program knows no provider for this address. If the host is another one, name it with --host.
doctor-settings-no-pop3 = { $provider } cannot be used with POP3: { $why }
doctor-unknown-address = no POP3 server is known for { $address }
doctor-unknown-address-next = Name it: pop3 doctor ADDRESS --host pop.example.org
doctor-advice = { $provider }: { $text }
doctor-password-prompt = Password for { $user } (Enter to skip the login):{ " " }

## Names

doctor-names = { $host } has the addresses { $addresses }
doctor-names-unknown = there is no host { $host }
doctor-names-unknown-means = The name is misspelled, or its provider has switched it off.
doctor-names-unknown-next = Check the spelling. The help pages of the provider name the host, often with the word POP or POP3.
doctor-names-no-resolver = the name { $host } cannot be looked up now
doctor-names-no-resolver-means = The name server (DNS) of this machine does not answer.
doctor-names-no-resolver-next = Check the network. If no other name works either, restart the router or set another name server.
doctor-names-private = { $host } has the addresses { $addresses }, which are in the own network
doctor-names-private-means = The servers of { $provider } are on the internet. Something on the network redirects the name.
doctor-names-private-next = Open a page in a browser: networks of hotels and stations want a login first. Otherwise look at the hosts file, the firewall and the virus scanner.

## Network

doctor-network = { $address } port { $port } accepts connections
doctor-network-refused = { $address } port { $port } refuses connections
doctor-network-refused-means = The machine is there, and no server listens on this port.
doctor-network-refused-next = Check the host and the port: 995 is for TLS, 110 for STLS. On your own machine, start the server.
doctor-network-silent = { $address } port { $port } does not answer
doctor-network-silent-means = A firewall on the way drops the packets, or the machine is off.
doctor-network-silent-next = Try another network, such as a telephone's. Some networks and virus scanners block mail ports; their operator can open port 995.
doctor-network-no-route = this machine has no way to { $address } port { $port }
doctor-network-no-route-means = The network is off, or the route to that network is missing.
doctor-network-no-route-next = Check the cable, the Wi-Fi or the VPN.
doctor-network-no-ipv6 = this machine has no IPv6, so { $address } port { $port } is left out; IPv4 works
doctor-network-ipv6-means = IPv6 does not work here, and IPv4 does. Each connection may wait for IPv6 first.
doctor-network-ipv6-next = Tell the operator of the network or of the server. Until then mail comes, and may come later.
doctor-network-other = { $address } port { $port }: { $error }

## Service

doctor-service-tls = port { $port } speaks POP3 over TLS: “{ $text }”
doctor-service-clear = port { $port } speaks POP3: “{ $text }”
doctor-service-slow-means = The greeting took long. The server is busy, or it looks up the address of each client.
doctor-service-has-tls = port { $port } begins with TLS, and was tried without
doctor-service-has-tls-next = Leave out --stls: port { $port } uses TLS from the start.
doctor-service-no-tls = port { $port } speaks POP3 without TLS, and was tried with TLS
doctor-service-no-tls-next = Use --stls with port { $port }, or port 995.
doctor-service-refuses = port { $port } refuses sessions: “{ $text }”
doctor-service-refuses-means = The server is there, and wants no session now: too many connections, maintenance, or a block of this address.
doctor-service-refuses-next = Try again in some minutes, with fewer programs at once.
doctor-service-imap = port { $port } is an IMAP server
doctor-service-smtp = port { $port } is an SMTP or FTP server
doctor-service-ssh = port { $port } is an SSH server
doctor-service-http = port { $port } is a web server
doctor-service-portal-means = The provider has a mail server there. Something on the network answers in its place: the login page of a hotel or a station, or a proxy.
doctor-service-portal-next = Open a page in a browser and log in to the network, then try again.
doctor-service-unknown = port { $port } does not speak POP3: “{ $text }”
doctor-service-usual-ports = POP3 is usually on port 995, or on port 110 with STLS.
doctor-service-silent = port { $port } accepts connections and says nothing
doctor-service-silent-means = The server hangs, or a firewall or virus scanner takes the connection and passes nothing on.
doctor-service-silent-next = Try again later, and with the virus scanner's mail protection off.
doctor-service-closed = port { $port } closes each connection without a word
doctor-service-closed-means = The server blocks this address, or a proxy in front of it has no server.
doctor-service-closed-next = Wait some minutes: servers block addresses after many logins. Otherwise ask the operator.

## TLS and certificates

doctor-tls = { $version } with { $cipher }; the certificate is for { $names }, signed by { $issuer }, valid until { $until }
doctor-tls-plain = { $version } with { $cipher }
doctor-tls-soon-means = { $days ->
    [one] The certificate ends in 1 day. Its renewal should have happened.
   *[other] The certificate ends in { $days } days. Its renewal should have happened.
}
doctor-tls-soon-next = Tell the operator of the server. On your own server, renew the certificate and reload the server.
doctor-tls-expired = the certificate of { $host } ended on { $until }
doctor-tls-expired-means = The operator has not renewed it, or the clock of this machine is wrong: it says { $today }.
doctor-tls-expired-next = Check the date of this machine. If it is right, tell the operator. Do not send the password until it is repaired.
doctor-tls-not-yet = the certificate of { $host } is not valid yet
doctor-tls-not-yet-means = Most likely the clock of this machine is wrong: it says { $today }.
doctor-tls-not-yet-next = Set the clock of this machine, and try again.
doctor-tls-wrong-name = the certificate is not for { $host }: it is for { $names }
doctor-tls-wrong-name-means = The server is known by another name, or something on the network answers in its place.
doctor-tls-wrong-name-next = If the other name belongs to your provider, use it as the host. Otherwise do not send the password.
doctor-tls-self-signed = { $host } has signed its certificate itself
doctor-tls-unknown-issuer = the certificate of { $host } is signed by { $issuer }, which this machine does not trust
doctor-tls-own-means = Nothing shows that this is the right server. On one's own server that is usual; at a provider it means an attack, or a virus scanner on this machine that reads the mail.
doctor-tls-own-next = If it is your own server, compare the fingerprint there (openssl x509 -noout -fingerprint -sha256 -in cert.pem): { $fingerprint }
doctor-tls-own-save = If it is the same, trust it: add --save-certificate server.pem to this command, and then --ca-file server.pem to every command.
doctor-tls-too-old = { $host } has no version of TLS or no ciphers that are safe today
doctor-tls-too-old-means = The server offers only TLS 1.0 or 1.1, or old ciphers, which others can read.
doctor-tls-too-old-next = Tell the operator: TLS 1.2 is the least that is safe.
doctor-tls-other = TLS with { $host } fails: { $error }
doctor-tls-other-next = Tell the operator of the server, with this text.
doctor-tls-no-stls = the server does not offer TLS (STLS) on this port
doctor-tls-no-stls-means = Others on the network could read the password and the mail, so the program sends none.
doctor-tls-no-stls-next = Use port 995. If the server has no TLS at all, ask its operator for it.
doctor-save-failed = the certificate cannot be written to { $file }: { $error }

## POP3

doctor-pop3 = the server offers { $capabilities }
doctor-pop3-no-capa = the server does not say what it offers (CAPA)
doctor-pop3-no-capa-means = It is old. Fetching works, one command at a time.
doctor-pop3-no-uidl-means = Without UIDL the program cannot know which messages it has already fetched.
doctor-pop3-no-uidl-next = Use pop3 fetch with --delete: each message is then fetched once and deleted on the server.

## Login

doctor-login = logged in as { $user } with { $method }
doctor-login-other-next = The administrator of the server must look into its log. If it is your own server, look there.
doctor-login-skipped = the login was not tried
doctor-login-skipped-next = Give a password to try it: set POP3_PASSWORD, use --password-file, or type it when asked.
doctor-login-wrong = the server refuses the user or the password: “{ $text }”
doctor-login-wrong-means = The user name or the password is wrong, or it is the wrong kind of password.
doctor-login-wrong-next = Type the password again. Try the whole address as the user, and the part before the @ (--user).
doctor-login-other-password = the server wants another kind of password: “{ $text }”
doctor-login-other-password-means = The password of the web page does not work for mail programs here.
doctor-login-other-password-next = Make an app password or authorization code on the web page of the provider and use that, or an access token (--token-command).
doctor-login-pop-off = POP is switched off for this mailbox: “{ $text }”
doctor-login-pop-off-means = The provider lets mail programs in only when the owner has switched that on.
doctor-login-pop-off-next = Switch POP3 on in the settings of the mailbox on the provider's web page.
doctor-login-in-use = another program has the mailbox open: “{ $text }”
doctor-login-in-use-means = A mailbox has one session at a time. An old session that broke may count until it times out.
doctor-login-in-use-next = Close other mail programs, also on the telephone, and try again in ten minutes.
doctor-login-delay = the server limits how often one may log in: “{ $text }”
doctor-login-delay-means = There was a login shortly before.
doctor-login-delay-next = Try again later, and let mail programs look for mail less often.
doctor-login-temporary = the server cannot log in now: “{ $text }”
doctor-login-temporary-next = Try again in some minutes.
doctor-login-web = the provider blocks the login: “{ $text }”
doctor-login-web-means = The provider wants its owner to log in on the web page first, and to confirm something there.
doctor-login-no-mechanism = there is no way to log in that both sides know
doctor-login-no-mechanism-means = The server offers only logins that this program does not have, or that do not fit a password.
doctor-login-no-mechanism-next = If the server wants a token, use --token-command. Otherwise ask the operator for PLAIN over TLS or SCRAM-SHA-256.
doctor-login-other = the login failed: { $error }

## The session

doctor-session-silent = { $seconds ->
    [one] the server was silent for 1 second
   *[other] the server was silent for { $seconds } seconds
}
doctor-session-silent-next = Try again later, or with a longer --timeout.
doctor-session-closed = the server closed the connection
doctor-session-closed-means = Some servers hang up in place of a refusal: too many logins, or a block.
doctor-session-closed-next = Wait some minutes and try again.
doctor-session-other = { $error }
doctor-mailbox = { $messages ->
    [one] 1 message, { $octets } octets
   *[other] { $messages } messages, { $octets } octets
}
doctor-speed = a command takes { $milliseconds } ms
doctor-speed-no-pipeline = Without PIPELINING each message waits for the answer to the one before.
doctor-speed-pipeline = a command takes { $milliseconds } ms; { $count } take { $apart } ms one by one and { $together } ms in a pipeline

## The result

doctor-result-works = Mail can be fetched: { $command }
doctor-result-no-login = The server can be used; the login was not tried. Mail is fetched by: { $command }
doctor-result-fails = Mail cannot be fetched. The lines marked ✗ say why, and what to do.
doctor-report-examined = examined: { $subject }

## Guides

guide-overview = POP3 for { $address }
guide-title = { $client } for { $address }
guide-before = Before you start
guide-steps = Steps
guide-checked = Written for { $version }. Other versions may name things differently.
guide-warning = Warning: { $text }
guide-clients = Steps for a mail program: pop3 guide ADDRESS --client NAME. Names: { $names }.
guide-unknown-client = no mail program { $client } is known
guide-no-address = { $text } is not a mail address
guide-name-host = Name your server: pop3 guide ADDRESS --host pop.example.org
guide-field-host = Server
guide-field-port = Port
guide-field-security = Security
guide-field-user = User name
guide-field-password = Password
guide-security-tls = TLS from the start (SSL/TLS)
guide-security-stls = STLS (STARTTLS)
guide-password-account = the password of the mailbox
guide-password-app = the app password
guide-password-code = the authorization code
guide-password-token = leave it empty: the program must offer a login in the browser (OAuth), or it cannot be used
guide-your-name = your name, as others see it
guide-smtp = the outgoing server that your provider names
guide-switch-on = Switch POP on at { $provider }, and get the password there: { $text }
guide-poll = { $minutes ->
    [one] { $provider } accepts one login in a minute.
   *[other] { $provider } accepts one login in { $minutes } minutes.
}
guide-deletion = Deletion at { $provider }: { $text }
guide-help = Help of { $provider }: { $text }
guide-source = These facts are from { $source } ({ $date }).
guide-place-thunderbird = For Thunderbird: serve it as https://autoconfig.{ $domain }/mail/config-v1.1.xml
guide-place-outlook = For Outlook: serve it as https://autodiscover.{ $domain }/autodiscover/autodiscover.xml, as the answer to POST, too
guide-place-apple = For Apple Mail on Mac, iPhone and iPad: send it to the user, or offer it as a download

## Fetching

introduction =
    pop3 brings mail home over POP3, serves it, and says what is wrong.

      pop3 fetch you@example.org     bring new mail into ~/Mail/you@example.org
      pop3 doctor you@example.org    find out why mail does not come
      pop3 serve --help              serve the mail of a machine

    pop3 --help lists everything; pop3 demo shows how it works.
fetch-interrupted = { $count ->
    [0] interrupted; no message was stored in this run. The next run continues.
    [one] interrupted; 1 message of this run is safely stored. The next run fetches the rest.
   *[other] interrupted; { $count } messages of this run are safely stored. The next run fetches the rest.
}
fetch-no-maildir = { $folder } is not empty, and is no Maildir
fetch-no-maildir-next = Name a new or an empty folder, or a Maildir: a folder with the folders cur, new and tmp.

## Reading

read-empty = There is no mail.
read-newest = These are the newest { $shown } of { $count } messages; --all lists them all.
read-no-message = there is no message { $number }
read-no-maildir = { $folder } is no Maildir
read-delete-local = --delete is for mail on a server; in a Maildir, delete the file
read-ask = { $count ->
    [one] Delete this message on the server? It cannot be brought back. [y/N]
   *[other] Delete these { $count } messages on the server? They cannot be brought back. [y/N]
}
read-yes = y yes
read-no-terminal = there is no terminal to ask; --yes deletes without asking
read-nothing-deleted = Nothing is deleted.
read-refused = the server refuses to delete message { $number }, so nothing is deleted
read-deleted = { $count ->
    [one] 1 message is deleted on the server.
   *[other] { $count } messages are deleted on the server.
}
read-no-text = (This message has no text.)
read-attachment = Attachment: { $name } ({ $octets } octets)
read-from = From
read-to = To
read-cc = Cc
read-date = Date
read-subject = Subject

## Accounts

accounts-none = no account is configured
accounts-none-next = Name an address: pop3 fetch ADDRESS. Or add an account: pop3 accounts add ADDRESS
accounts-unknown = there is no account { $account }; pop3 accounts list shows them
accounts-exists = there is an account { $account } already, in { $file }
accounts-exists-next = Give this one another name: --name NAME
accounts-no-home = there is no home for the file of accounts: set HOME or XDG_CONFIG_HOME
accounts-no-maildir = a host name needs a Maildir, too: pop3 accounts add HOST MAILDIR --user NAME
config-unknown-key = { $place }: there is no key { $key }
config-similar-key = A similar key exists: { $key }
accounts-keys = The keys are the options of pop3 fetch; pop3 fetch --help lists them.
config-wrong-type = { $place }: the value of { $key } is of the wrong kind
config-wrong-key = { $place }: { $error }
accounts-no-server = { $place }: the key server is missing; it is a mail address or a host name
accounts-works = { $count ->
    [one] { $account }: the login works; 1 message is on the server
   *[other] { $account }: the login works; { $count } messages are on the server
}
accounts-added = { $count ->
    [one] { $account } is added to { $file }; 1 message is on the server. Fetch it: pop3 fetch
   *[other] { $account } is added to { $file }; { $count } messages are on the server. Fetch them: pop3 fetch
}
accounts-store = Store the password in { $file }, which only you can read? [Y/n]

## Conformance

conformance-seen = The server: “{ $seen }”
conformance-login-refused = the server refuses the login, so only the statements before it were examined; pop3 doctor without --conformance says why
conformance-greeting = The greeting begins with +OK.
conformance-greeting-length = The greeting has at most 512 octets.
conformance-capa = The server answers CAPA.
conformance-capa-lines = Each line of CAPA has at most 512 octets, and none is empty.
conformance-unknown = An unknown command is answered with -ERR.
conformance-state = STAT before the login is answered with -ERR.
conformance-pass-first = PASS without USER is answered with -ERR.
conformance-empty = An empty line is answered with -ERR.
conformance-stls-twice = STLS over TLS is answered with -ERR.
conformance-stls-offered = STLS is not offered over TLS.
conformance-long-line = A command line of 255 octets is read as one.
conformance-pipelining = Commands that are sent together are answered each, in order.
conformance-cancel = A login is cancelled with an asterisk, and answered with -ERR.
conformance-case = Commands may be in lower case.
conformance-quit = After QUIT the server closes the connection.
conformance-open = the connection stays open
conformance-injection = A command in the clear after STLS is not answered over TLS.
conformance-injected = a command that was sent in the clear was answered over TLS: an attacker on the network can inject commands
conformance-noop = NOOP is answered with +OK.
conformance-stat = STAT is answered with the number and the size of the messages.
conformance-list = LIST has as many messages and octets as STAT.
conformance-list-one = LIST with a number is answered in one line.
conformance-uidl = Unique-ids have 1 to 70 printable characters, and differ.
conformance-zero = Message number 0 is answered with -ERR.
conformance-beyond = A message number beyond the last is answered with -ERR.
conformance-no-number = What is no number is answered with -ERR.
conformance-logged-in = USER after the login is answered with -ERR.
conformance-rset = RSET is answered with +OK.
conformance-update = QUIT after the login is answered with +OK.
conformance-result = { $broken ->
    [0] All { $count } statements that could be examined hold.
    [one] 1 of { $count } statements that could be examined does not hold.
   *[other] { $broken } of { $count } statements that could be examined do not hold.
}

## What happened, and what to do

error-connect = cannot connect to { $host } port { $port }: { $cause }
error-silent = the server was silent, or too slow, for { $time } while { $waiting }
error-seconds = { $count } seconds
error-milliseconds = { $count } milliseconds
error-refused = the server refused { $verb }{ $reply }
error-no-session = the server refuses sessions now{ $reply }
error-tls-unknown-issuer = TLS: the server's certificate is not signed by a trusted authority
error-tls-self-signed = TLS: the server has signed its certificate itself, so nothing shows whose it is
error-tls-expired = TLS: the server's certificate has expired: { $date }, { $days } days ago
error-tls-not-yet = TLS: the server's certificate is not valid yet: { $date }, { $days } days from now; is the clock of this machine right?
error-tls-none = TLS: the server does not speak TLS on this port
error-no-unique-ids = the server does not support UIDL, so fetched messages cannot be distinguished from new ones
error-unique-ids-unavailable = the server does not list its unique-ids now
error-locked = another run is fetching { $account } into this Maildir
error-listed-twice = the server's listing names a message twice, so it cannot be trusted
error-endless-listing = the server's listing names far more messages than the server counts, so it cannot be trusted
waiting-greeting = its greeting was awaited
waiting-login = the login was awaited
waiting-reply = a reply was awaited
waiting-message = a message was being received
waiting-end = the end of the session was awaited
waiting-handshake = the TLS handshake was done
waiting-command = a command was sent
advice-in-use = Another program is reading this mailbox now. Try again in a few minutes.
advice-login-delay = The server requires a pause between logins. Try again later.
advice-login-delay-seconds = The server requires a pause of { $seconds } seconds between logins. Try again after that.
advice-temporary = The server has a temporary fault. Try again later.
advice-permanent = The server has a fault that its administrator must fix.
advice-not-tls = Use --stls on a port that starts without TLS (usually 110).
advice-self-signed = If this is your own server, copy its certificate from there and give it with --ca-file.
advice-unknown-issuer = If the server has a private certificate, get it from the operator and give it with --ca-file.
advice-wrong-name = Use a host name that is in the certificate.
advice-switched-off = POP3 is switched off for this account. Switch it on in the settings of the mailbox on the provider's web page.
advice-other-password = The provider requires another kind of password: an app password or authorization code from its web page, or an access token (--token-file, --token-command).
advice-ambiguous = The server names several causes at once: a wrong password, the wrong kind of password (try an authorization code), POP3 switched off, or too many logins.
advice-connect = Check the host name, the port and the network.
advice-cleartext = Use TLS, or --dangerously-cleartext on a network that you trust.
advice-hung-up = Some servers hang up without a reply if the user name or the password is wrong. Check both.
advice-no-unique-ids = Use --delete alone: each message is then fetched once and deleted on the server.
advice-later = Try again later.
advice-locked = Wait until the other run has ended.
advice-token = Give a token with --token-command or --token-file.
advice-tls-port = A port with TLS from the start (usually 995) needs no --stls or --dangerously-cleartext.
advice-disk = Only messages safely on disk were deleted from the server. Fix the disk and run it again.
advice-provider-pop-off = { $provider } says that POP is switched off for this mailbox.
advice-provider-too-often = { $provider } limits how often programs may log in. Try again later.
advice-provider-blocked = { $provider } blocks this account. Log in to its web page to see why.
advice-provider-web-login = { $provider } wants a login on its web page first.
wants-account = { $provider } wants the password of the mailbox
wants-app = { $provider } wants an app password, which is not the password of the web page
wants-code = { $provider } wants an authorization code, which is not the password of the web page
wants-token = { $provider } wants an access token (OAuth); passwords are refused
wants-app-or-token = { $provider } wants an app password, which is not the password of the web page, or an access token (OAuth)
password-prompt = Password for { $account }:{ " " }
password-none = no password was given, and there is no terminal to ask for it
password-none-next = Set POP3_PASSWORD, or use --password-file or --password-command.
fetch-guessed = guessed the server { $host }: it greets as a POP3 server, with a certificate for this name
fetch-settings = { $host }, port { $port }, user { $user }; mail goes to { $folder }
fetch-other-user = the user name is { $user }, not the address; with --user { $user } the next run needs no second login
fetch-no-pop3 = { $address } cannot be fetched over POP3: { $why }
fetch-no-guess = Its domain publishes no settings for mail programs, and neither pop.{ $domain }, pop3.{ $domain }, mail.{ $domain } nor { $domain } is a POP3 server with a certificate for its name.
fetch-name-host = Name it: pop3 fetch ADDRESS --host pop.example.org. Your provider's help pages name the host, often with the word POP or POP3.
fetch-stored = { $count ->
    [one] 1 message is safely stored. Run the command again to fetch the rest.
   *[other] { $count } messages are safely stored. Run the command again to fetch the rest.
}
fetch-nothing = nothing new
fetch-fetched = { $count ->
    [one] 1 message ({ $size }) fetched
   *[other] { $count } messages ({ $size }) fetched
}
fetch-deleted = { $count } deleted on the server
fetch-known = { $count } known already
fetch-kept = { $count } still on the server although it confirmed their deletion
fetch-too-large = { $count } larger than the limit left on the server
fetch-comma = {", "}
fetch-some-failed = Everything else is done. The next run tries again.
accounts-proxy-password = the password of a proxy is not written to the file of accounts: leave --proxy out, and set POP3_PROXY when you fetch
accounts-password-exists = there is a file { $file } already; remove it, or give the account another --name
accounts-one-password = POP3_PASSWORD is for one account, and several have no password of their own: use password-file or password-command in their sections
conformance-withheld = (not shown: it contains the password)
conformance-token = --conformance logs in with a password, and not with a token
accounts-wrong-name = an account needs a name without control characters: --name NAME
accounts-not-utf8 = the file of accounts is UTF-8, and a path or an option is not; choose another
guide-control = { $text } has control characters in it
fetch-plan-fetch = fetch
fetch-plan-fetch-and-delete = fetch, then delete on the server
fetch-plan-compare = fetch again and compare: its unique-id does not show whether it is stored
fetch-plan-delete = delete on the server: it is stored
fetch-plan-too-large = leave: larger than the limit
fetch-plan-set-aside = leave for now: several tries have failed
fetch-plan-no-unique-id = leave: it has no unique-id
fetch-plan-known = stored already
fetch-plan = { $fetch } to fetch ({ $size }), { $delete } to delete, { $known } stored already. Nothing was fetched or deleted.
fetch-plan-compare-and-delete = fetch again and compare, then delete on the server
state-of = { $account } in { $folder } knows:
state-stored = stored
state-suspect = stored, but perhaps incomplete
state-deleting = deletion requested
state-deleted = deleted on the server
state-kept = still on the server although it confirmed the deletion
state-elsewhere = fetched by another program
state-imported = { $count ->
    [one] 1 message taken over
   *[other] { $count } messages taken over
} for { $account }, { $known } known before
state-others = { $file } has no list for { $user } at { $host }
state-others-next = It has lists for: { $others }. Name the user with --user and the host with --host.
source-srv = SRV records
source-autoconfig = the published settings
source-guess = a guess
fetch-looking = looking for the server of { $address }
fetch-found-srv = SRV records name the server { $host }; it has a certificate for this name
fetch-found-autoconfig = the domain publishes settings for mail programs: the server is { $host }
advice-kept = This server was found on { $date } by { $source } and is kept in { $file }. Remove its entry there to look for it again.
srv-not-offered = { $domain } says in its SRV records that it has no POP3
srv-ask = SRV records name the server { $host }, which is not in { $domain }. Is this the server of your provider? [y/N]
srv-elsewhere = SRV records name the server { $host }, which is not in { $domain }; such records can be forged
srv-elsewhere-next = If it is the server of your provider, name it: --host { $host }
doctor-settings-srv = found by SRV records: { $host }, port { $ports }, user { $user }
doctor-settings-autoconfig = found in the settings that the domain publishes: { $host }, port { $ports }, user { $user }
advice-oauth = Log in on its web page: pop3 login { $account } --oauth-client-id ID, with the id of a program that you register:
oauth-unknown = it is not known where { $host } gives access by OAuth
oauth-unknown-next = Name the addresses: --oauth-token-url, and --oauth-authorize-url or --oauth-device-url.
oauth-no-home = there is no home directory to keep the access in; set HOME or XDG_STATE_HOME
oauth-no-client = a login by OAuth needs a client id
oauth-no-client-next = Register a program at the provider, and give its id with --oauth-client-id, or as the key oauth-client-id of the account.
oauth-none = there is no access to the mailbox of { $user } yet, or it has ended
oauth-none-next = Log in on a terminal, with the same options: pop3 login { $account }
oauth-device = to let this program read the mail of { $user }, open { $url } on any device and type the code { $code }
oauth-browser = to let this program read the mail of { $user }, open this page in a browser on this machine:
oauth-paste = The page ends at an address that may not open. Paste that address here:
oauth-not-pasted = this is not the address at which this login has ended: { $text }
oauth-late = the login on the web page was not finished within ten minutes
oauth-page-done = The program has access now. You can close this page.
oauth-page-refused = The program has no access; it says why. You can close this page.
oauth-scope = warning: the provider has not granted the scope { $scope }, so the mail server may refuse the login
oauth-unreachable = cannot get a token from { $url }: { $error }
oauth-unreadable = its reply is not one of OAuth 2.0
oauth-refused = the provider gives no access: { $text }
deliver-done = { $count ->
    [one] 1 message passed on
   *[other] { $count } messages passed on
}
deliver-waiting = { $count ->
    [one] 1 message waits in { $folder } for the next run. It is safe there.
   *[other] { $count } messages wait in { $folder } for the next run. They are safe there.
}
deliver-failed = { $destination }: { $error }
deliver-no-recipient = { $destination } needs a recipient: --recipient ADDRESS
deliver-and-maildir = mail goes either into a Maildir or to --deliver-to; --deliver-to maildir:FOLDER adds a Maildir to other destinations
deliver-no-home = there is no home directory for mail that waits; set HOME or XDG_STATE_HOME
fetch-works-again = works again
timer-accounts = the timer fetches the accounts of the configuration; add this one with pop3 accounts add
timer-cron = There is no systemd here. A line for crontab -e does the same: { $line }
timer-installed = The timer is in { $folder }. Start it: systemctl --user daemon-reload && systemctl --user enable --now pop3-fetch.timer (and sudo loginctl enable-linger, if it is to run while you are logged out).
fetch-later = { $count } left for the next run
fetch-plan-later = leave for the next run: more than the limit
config-missing-key = { $place }: the key { $key } is missing, which another key needs
oauth-proxy = a login by OAuth goes through HTTP proxies only; leave the proxy out, or give a token with --token-command
accounts-removed = { $account } is removed from { $file }. Its mail stays, and what is below { $state }: mail that waits, and access by OAuth.
accounts-not-removed = the table of { $account } cannot be told from the others; remove it from { $file } with an editor
timer-options = a timer fetches all accounts as the configuration says; write other options there, as keys of the accounts
url-scheme = the URL of a POP3 server begins with pops:// or pop://
url-password = the URL of a POP3 server contains no password (RFC 2384); other users could see it
url-password-next = Leave it out. The program asks for it, or takes it from POP3_PASSWORD or --password-file.
url-user = the user name in the URL is not UTF-8
url-auth = after the user name, the URL may say ;auth=METHOD
url-method = the login method in the URL is not known; pop3 fetch --help lists those of --auth
host-wrong = { $text } is not a host name
host-wrong-next = For example: pop.example.org, pop.example.org:995, [2001:db8::1]:995 or pops://joe@pop.example.org
target-no-settings = --autoconfig-file is for a mail address; a host name needs no settings
target-no-host = --host is for a mail address; a host name needs no other one
target-twice = { $text } and an option say the same thing twice; leave one out
target-no-user = a host name needs --user, too
target-no-user-example = For example: pop3 fetch pop.example.org --user joe ~/Maildir
target-address-enough = With a mail address, the address is enough: pop3 fetch joe@gmail.com
place-no-maildir = a host name needs a Maildir, too
place-no-default = there is no default folder for { $name }
place-name-maildir = Name a Maildir: pop3 fetch ADDRESS MAILDIR
password-empty-file = { $file }: the first line is empty
password-readable = warning: other users can access { $file }; chmod 600 it
password-netrc-home = there is no home directory for .netrc
password-netrc-none = { $file } has no password for { $user } at { $host }
password-netrc-next = Add a line: machine { $host } login { $user } password …
password-no-credentials = there are no credentials: CREDENTIALS_DIRECTORY is not set
password-no-credentials-next = --credential is for a service of systemd with LoadCredential= or LoadCredentialEncrypted=.
password-credential-name = { $name } is not the name of a credential
password-command-failed = the password command failed: { $error }
token-command-failed = the token command failed: { $error }
password-command-silent = it printed nothing
token-not-ascii = the access token contains bytes that are not ASCII
deliver-circles = { $count } servers have passed a message on: it goes round in circles
deliver-in-the-clear = { $address } is another machine, and mail would go there in the clear
deliver-closed = it has closed the connection
deliver-no-reply = this is no reply: { $text }
deliver-leaves = it leaves: { $text }
deliver-refuses = it refuses { $what }: { $text }
deliver-refuses-message = it refuses the message: { $text }
deliver-refuses-session = it refuses sessions: { $text }
deliver-command-later = the command says that it fails for now (exit code 75)
deliver-command-none = the command cannot be run (exit code { $code })
deliver-command-code = the command ended with exit code { $code }
deliver-command-ended = the command was ended: { $status }
mbox-link = { $file } is another user's link
mbox-no-file = { $file } is no file
mbox-no-messages = { $file } is no file of messages: it does not begin with a line From
mbox-locked = another program has locked it: { $file }
doctor-names-alias = { $host } is another name of { $target }
doctor-names-alias-means = The certificate must be for the name that you use, not for that one.
state-nothing = nothing is known of { $account }
state-ask = { $count } messages of { $account } are known. Forget them, so that the next run fetches them again if they are on the server? [y/N]
state-not-forgotten = Nothing was forgotten.
state-forgotten = { $count } messages of { $account } are forgotten; the next run fetches what is on the server
state-no-terminal = there is no terminal to ask; --yes forgets without asking
demo-begins =
    A POP3 server is running on this machine. Its Maildir contains { $count } messages.
    A client (C) fetches them from the server (S). This is their dialogue:
demo-authorization = AUTHORIZATION: the client logs in
demo-transaction = TRANSACTION: the client lists and retrieves messages
demo-update = UPDATE: the server removes marked messages, and the session ends
demo-more-lines = (and { $count } lines more)
demo-message = (the message: { $size })
demo-handshake = (the TLS handshake; all further data are encrypted)
demo-fetched =
    All messages were fetched into a second Maildir, byte for byte as they were sent.

    To fetch your own mail:  pop3 fetch you@example.org              (pop3 fetch --help)
    If no mail comes:        pop3 doctor you@example.org             (pop3 doctor --help)
    To serve Maildirs:       pop3 serve --users FILE --mail PATH …   (pop3 serve --help)
demo-on-a-terminal =
    To connect your own mail program to this server, run `pop3 demo` on a terminal, without --once. The server
    then runs until Ctrl-C, and the demonstration prints the settings for your mail program: POP3, 127.0.0.1,
    a port with STARTTLS and one with SSL/TLS, the user and the password.
demo-settings =
    To connect your own mail program to this server, use these settings:
      protocol   POP3
      server     { $host }
      security   STARTTLS on port { $plain }, or SSL/TLS on port { $tls }
      user       { $user }
      password   { $password }
    The server signed its certificate itself, so your program will ask once whether to trust it.
    For example:
demo-until =
    The fetched messages are in
      { $folder }

    The server runs until you press Ctrl-C. Both Maildirs and the certificate are removed then.
demo-incomplete = only { $count } of the messages were fetched: { $problems }
demo-differ = the fetched messages differ from those on the server; this is a bug, please report it
demo-folder = cannot create a temporary folder: { $error }
cannot-listen = cannot listen on { $address }: { $error }
serve-nowhere = there is nothing to listen on
serve-nowhere-next = Give --listen or --listen-tls, or both.
serve-no-certificate = without a certificate no user could log in
serve-no-certificate-next = Give --cert and --key, or --dangerously-cleartext on a network that you trust.
serve-users-next = `pop3 passwd FILE NAME` creates the file and adds a user to it.
serve-mail = --mail { $path } is not a path that names the user: by %u, by %n and %d, or by %h at its beginning
serve-mail-next = Give a path like --mail '/home/%u/Maildir'.
passwd-new = New password for { $user }:
passwd-repeat = Repeat the new password:
passwd-differ = the two passwords differ; nothing was changed
passwd-empty = the password is empty; nothing was changed
passwd-name = { $user } cannot be the name of a user
passwd-name-next = A name must not contain / or :, must not begin with # or -, and must not begin or end with a dot or a blank.
passwd-set = { $user } can log in with the new password.
stdin-no-password = the first line of standard input contains no password
stdout-failed = cannot write to standard output: { $error }
problem-no-unique-id = { $count ->
    [one] 1 message not fetched: the server gives no unique-id
   *[other] { $count } messages not fetched: the server gives no unique-id
} (--delete without --delete-after and --keep-newest fetches such messages)
problem-not-listed = { $count ->
    [one] 1 message not fetched: the server counts more messages than it lists
   *[other] { $count } messages not fetched: the server counts more messages than it lists
}
problem-set-aside = message { $number } is set aside: several tries to fetch it have failed; it is tried again once a day
problem-session-broke = message { $number } was not fetched: { $error }; { $next }
problem-not-retrieved = message { $number } was not fetched; the server replied: { $reply }
problem-not-deleted = message { $number } could not be deleted; the server replied: { $reply }
problem-wrong-size = message { $number } has { $octets } octets instead of the { $announced } that the server announced, so it stays on the server; { $next }
problem-next-aside = it is set aside, and tried again once a day
problem-next-again = it is tried again next time
problem-next-short = it was stored as received, and may be incomplete
problem-next-stored = it was stored as received
problem-not-all-removed = the server did not remove all deleted messages: { $error }
problem-removal-unknown = it is not known whether the server removed the deleted messages: { $error }
problem-next-session = the remaining messages wait for the next run: { $error }
error-closed = the server closed the connection { $when }
error-closed-idle = while nothing was asked
error-closed-greeting = before its greeting
error-closed-reply = before its reply to { $verb }
error-closed-rest = in the middle of its reply to { $verb }
error-not-pop3 = the server does not speak POP3 here: it sent "{ $sent }"{ $service }
error-service-imap = that is an IMAP server; POP3 is usually on port 995 or 110
error-service-smtp = that is an SMTP or FTP server; POP3 is usually on port 995 or 110
error-service-ssh = that is an SSH server
error-service-web = that is a web server
error-service-tls = that is TLS: use implicit TLS on this port
error-cleartext-login = refusing to log in without TLS; use TLS or STLS, or allow a cleartext login by name
error-no-mechanism = the server offers no way to log in that is possible and allowed here
error-tls-wrong-name = TLS: the server's certificate is for another host{ $names }
error-tls-names = : it is for { $names }
error-tls-names-more = : it is for { $names } and others
error-tls-untrusted = TLS: the server's certificate is not to be trusted: { $error }
error-tls-nothing-in-common = TLS: no version of TLS and no ciphers that both sides have: { $error }
accounts-place = { $file }, account { $account }
serve-keys = The keys are the options of pop3 serve; pop3 serve --help lists them.
serve-users = no file of users is given
serve-users-give = Give --users, or the key users in the file of --config.
serve-mail-none = no place of the mail is given
serve-run-as = --run-as { $name }: { $error }
serve-run-as-no-user = there is no such user
serve-run-as-no-group = there is no such group
serve-run-as-root = this is root itself
serve-run-as-kept = root could be had again
serve-run-as-next = Only root can become another user. Start the server as root, or leave out --run-as.
serve-check-listen = listens on { $address } for { $kind }
serve-check-certificate = certificate { $file }: for { $names }, until { $date }
serve-check-ended = certificate { $file }: for { $names }; it ended on { $date }, and clients refuse it
serve-check-users = { $count ->
    [one] 1 user in { $file }
   *[other] { $count } users in { $file }
}
serve-check-mail = the mail of { $user } is in { $path }
serve-check-no-mail = the mail of { $user } would be in { $path }, which does not exist: { $user } finds no messages
serve-check-run-as = runs as { $name }
serve-check-as-root = runs as root: give --run-as, so that an error in the server cannot harm the whole machine
serve-check-mechanisms = logins: { $mechanisms }
serve-check-sessions = at most { $count } sessions, { $source } from one source
serve-check-good = The settings are right. Nothing was started.
serve-run-as-users = The user of --run-as, { $name }, must be able to read the file of users.
fetch-ids-changed = { $account }: the server has given all messages other unique-ids, as after a move; { $count ->
    [one] 1 message was
   *[other] { $count } messages were
} recognised by the contents, and not stored again
error-ids-changed = the server has given all messages other unique-ids
advice-ids-changed = Has the mail moved to another server? --on-uid-change compare stores nothing twice; --on-uid-change fetch takes all messages for new ones.
serve-per-user = --per-user needs root: { $error }
serve-check-per-user = accesses each Maildir with the rights of its owner
config-own-key = { $place }: the key { $key } belongs to one account, not to all
accounts-one-pin = --pin is for the server of one account: name the account, or make it a key of that account
serve-needs = { $option } needs { $other } as well
serve-check-no-place = the path of --mail has no place for { $user }: the name has no part after the @, or the file of users names no home
