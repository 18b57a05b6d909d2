# Textos del programa en español.

check-settings = Datos
check-names = Nombres
check-network = Red
check-service = Servicio
check-tls = TLS
check-pop3 = POP3
check-login = Acceso
check-mailbox = Buzón
check-speed = Velocidad

password-account = El acceso pide la contraseña del buzón.
password-app = El acceso pide una contraseña de aplicación, que no es la de la página web.
password-code = El acceso pide un código de autorización, que no es la contraseña de la página web.
password-token = El acceso pide un token (OAuth); las contraseñas se rechazan.
password-app-or-token = El acceso pide una contraseña de aplicación, que no es la de la página web, o un token (OAuth).

doctor-settings = { $host }, puerto { $ports }; no se indicó usuario
doctor-settings-user = { $host }, puerto { $ports }, usuario { $user }
doctor-settings-provider = { $provider }: { $host }, puerto { $ports }, usuario { $user }
doctor-settings-guess = supuesto: { $host }, puerto { $ports }, usuario { $user }
doctor-settings-guess-means = El programa no conoce ningún proveedor para esta dirección. Si el servidor es otro, indíquelo con --host.
doctor-settings-no-pop3 = { $provider } no se puede usar con POP3: { $why }
doctor-unknown-address = no se conoce ningún servidor POP3 para { $address }
doctor-unknown-address-next = Indíquelo: pop3 doctor DIRECCIÓN --host pop.example.org
doctor-advice = { $provider }: { $text }
doctor-password-prompt = Contraseña de { $user } (Intro para omitir el acceso):{ " " }

doctor-names = { $host } tiene las direcciones { $addresses }
doctor-names-unknown = no existe el servidor { $host }
doctor-names-unknown-means = El nombre está mal escrito o el proveedor lo ha retirado.
doctor-names-unknown-next = Revise el nombre. Las páginas de ayuda del proveedor lo indican, a menudo con la palabra POP o POP3.
doctor-names-no-resolver = ahora no se puede consultar el nombre { $host }
doctor-names-no-resolver-means = El servidor de nombres (DNS) de este equipo no responde.
doctor-names-no-resolver-next = Revise la red. Si tampoco funciona ningún otro nombre, reinicie el router o elija otro servidor de nombres.
doctor-names-private = { $host } tiene las direcciones { $addresses }, que son de la red propia
doctor-names-private-means = Los servidores de { $provider } están en internet. Algo en la red desvía el nombre.
doctor-names-private-next = Abra una página en el navegador: las redes de hoteles y estaciones piden primero un acceso. Si no es eso, revise el archivo hosts, el cortafuegos y el antivirus.

doctor-network = { $address } acepta conexiones en el puerto { $port }
doctor-network-refused = { $address } rechaza conexiones en el puerto { $port }
doctor-network-refused-means = El equipo existe, pero ningún servidor escucha en este puerto.
doctor-network-refused-next = Revise el servidor y el puerto: 995 es para TLS y 110 para STLS. En su propio equipo, inicie el servidor.
doctor-network-silent = { $address } no responde en el puerto { $port }
doctor-network-silent-means = Un cortafuegos descarta los paquetes por el camino, o el equipo está apagado.
doctor-network-silent-next = Pruebe otra red, como la del teléfono. Algunas redes y antivirus bloquean los puertos de correo; su administrador puede abrir el 995.
doctor-network-no-route = este equipo no tiene ruta hacia { $address }, puerto { $port }
doctor-network-no-route-means = La red está apagada o falta la ruta.
doctor-network-no-route-next = Revise el cable, el wifi o la VPN.
doctor-network-no-ipv6 = este equipo no tiene IPv6, así que { $address }, puerto { $port }, se omite; IPv4 funciona
doctor-network-ipv6-means = IPv6 no funciona aquí, e IPv4 sí. Cada conexión puede esperar primero a IPv6.
doctor-network-ipv6-next = Avise al administrador de la red o del servidor. Mientras tanto el correo llega, quizá más tarde.
doctor-network-other = { $address }, puerto { $port }: { $error }

doctor-service-tls = el puerto { $port } habla POP3 sobre TLS: «{ $text }»
doctor-service-clear = el puerto { $port } habla POP3: «{ $text }»
doctor-service-slow-means = El saludo tardó mucho. El servidor está ocupado o consulta la dirección de cada cliente.
doctor-service-has-tls = el puerto { $port } empieza con TLS y se probó sin él
doctor-service-has-tls-next = Quite --stls: el puerto { $port } usa TLS desde el principio.
doctor-service-no-tls = el puerto { $port } habla POP3 sin TLS y se probó con TLS
doctor-service-no-tls-next = Use --stls con el puerto { $port }, o el puerto 995.
doctor-service-refuses = el puerto { $port } rechaza sesiones: «{ $text }»
doctor-service-refuses-means = El servidor está ahí y ahora no admite sesiones: demasiadas conexiones, mantenimiento o un bloqueo de esta dirección.
doctor-service-refuses-next = Pruebe de nuevo en unos minutos, con menos programas a la vez.
doctor-service-imap = el puerto { $port } es un servidor IMAP
doctor-service-smtp = el puerto { $port } es un servidor SMTP o FTP
doctor-service-ssh = el puerto { $port } es un servidor SSH
doctor-service-http = el puerto { $port } es un servidor web
doctor-service-portal-means = El proveedor tiene ahí un servidor de correo. Algo en la red responde en su lugar: la página de acceso de un hotel o una estación, o un proxy.
doctor-service-portal-next = Abra una página en el navegador, acceda a la red y pruebe de nuevo.
doctor-service-unknown = el puerto { $port } no habla POP3: «{ $text }»
doctor-service-usual-ports = POP3 suele estar en el puerto 995, o en el 110 con STLS.
doctor-service-silent = el puerto { $port } acepta conexiones y no dice nada
doctor-service-silent-means = El servidor está colgado, o un cortafuegos o antivirus toma la conexión y no la deja pasar.
doctor-service-silent-next = Pruebe más tarde, y con la protección de correo del antivirus desactivada.
doctor-service-closed = el puerto { $port } cierra cada conexión sin decir nada
doctor-service-closed-means = El servidor bloquea esta dirección, o un proxy delante de él no tiene servidor.
doctor-service-closed-next = Espere unos minutos: los servidores bloquean direcciones tras muchos accesos. Si sigue igual, pregunte al administrador.

doctor-tls = { $version } con { $cipher }; el certificado es para { $names }, firmado por { $issuer }, válido hasta { $until }
doctor-tls-plain = { $version } con { $cipher }
doctor-tls-soon-means = { $days ->
    [one] El certificado caduca en 1 día. Ya debería estar renovado.
   *[other] El certificado caduca en { $days } días. Ya debería estar renovado.
}
doctor-tls-soon-next = Avise al administrador del servidor. En su propio servidor, renueve el certificado y recárguelo.
doctor-tls-expired = el certificado de { $host } caducó el { $until }
doctor-tls-expired-means = El administrador no lo ha renovado, o el reloj de este equipo está mal: dice { $today }.
doctor-tls-expired-next = Revise la fecha de este equipo. Si es correcta, avise al administrador. No envíe la contraseña hasta que esté arreglado.
doctor-tls-not-yet = el certificado de { $host } todavía no es válido
doctor-tls-not-yet-means = Lo más probable es que el reloj de este equipo esté mal: dice { $today }.
doctor-tls-not-yet-next = Ponga en hora el reloj de este equipo y pruebe de nuevo.
doctor-tls-wrong-name = el certificado no es para { $host }: es para { $names }
doctor-tls-wrong-name-means = El servidor se conoce por otro nombre, o algo en la red responde en su lugar.
doctor-tls-wrong-name-next = Si el otro nombre es de su proveedor, úselo como servidor. Si no, no envíe la contraseña.
doctor-tls-self-signed = { $host } ha firmado él mismo su certificado
doctor-tls-unknown-issuer = el certificado de { $host } está firmado por { $issuer }, en quien este equipo no confía
doctor-tls-own-means = Nada demuestra que sea el servidor correcto. En un servidor propio es habitual; en un proveedor significa un ataque, o un antivirus de este equipo que lee el correo.
doctor-tls-own-next = Si es su propio servidor, compare allí la huella (openssl x509 -noout -fingerprint -sha256 -in cert.pem): { $fingerprint }
doctor-tls-own-save = Si es la misma, confíe en él: añada --save-certificate server.pem a esta orden, y después --ca-file server.pem a todas.
doctor-tls-too-old = { $host } no tiene ninguna versión de TLS o ningún cifrado que hoy sea seguro
doctor-tls-too-old-means = El servidor solo ofrece TLS 1.0 o 1.1, o cifrados viejos que otros pueden leer.
doctor-tls-too-old-next = Avise al administrador: TLS 1.2 es lo mínimo seguro.
doctor-tls-other = TLS con { $host } falla: { $error }
doctor-tls-other-next = Avise al administrador del servidor con este texto.
doctor-tls-no-stls = el servidor no ofrece TLS (STLS) en este puerto
doctor-tls-no-stls-means = Otros en la red podrían leer la contraseña y el correo, así que el programa no envía nada.
doctor-tls-no-stls-next = Use el puerto 995. Si el servidor no tiene TLS, pídaselo a su administrador.
doctor-save-failed = el certificado no se puede escribir en { $file }: { $error }

doctor-pop3 = el servidor ofrece { $capabilities }
doctor-pop3-no-capa = el servidor no dice qué ofrece (CAPA)
doctor-pop3-no-capa-means = Es antiguo. La descarga funciona, una orden tras otra.
doctor-pop3-no-uidl-means = Sin UIDL el programa no puede saber qué mensajes ya ha descargado.
doctor-pop3-no-uidl-next = Use pop3 fetch con --delete: cada mensaje se descarga una vez y se borra en el servidor.

doctor-login = acceso como { $user } con { $method }
doctor-login-other-next = El administrador del servidor debe mirar su registro. Si es su propio servidor, mírelo allí.
doctor-login-skipped = no se probó el acceso
doctor-login-skipped-next = Dé una contraseña para probarlo: use POP3_PASSWORD, --password-file, o escríbala cuando se pida.
doctor-login-wrong = el servidor rechaza el usuario o la contraseña: «{ $text }»
doctor-login-wrong-means = El usuario o la contraseña no son correctos, o la contraseña es de otra clase.
doctor-login-wrong-next = Escriba de nuevo la contraseña. Pruebe como usuario la dirección entera y la parte antes de la @ (--user).
doctor-login-other-password = el servidor quiere otra clase de contraseña: «{ $text }»
doctor-login-other-password-means = La contraseña de la página web no sirve aquí para programas de correo.
doctor-login-other-password-next = Cree una contraseña de aplicación o un código de autorización en la página web del proveedor y úselo, o use un token (--token-command).
doctor-login-pop-off = POP está desactivado en este buzón: «{ $text }»
doctor-login-pop-off-means = El proveedor solo deja entrar a programas de correo si el dueño lo ha activado.
doctor-login-pop-off-next = Active POP3 en los ajustes del buzón en la página web del proveedor.
doctor-login-in-use = otro programa tiene abierto el buzón: «{ $text }»
doctor-login-in-use-means = Un buzón admite una sola sesión a la vez. Una sesión rota puede contar hasta que caduque.
doctor-login-in-use-next = Cierre los demás programas de correo, también en el teléfono, y pruebe de nuevo en diez minutos.
doctor-login-delay = el servidor limita la frecuencia de los accesos: «{ $text }»
doctor-login-delay-means = Hubo un acceso poco antes.
doctor-login-delay-next = Pruebe más tarde, y haga que los programas de correo consulten menos a menudo.
doctor-login-temporary = el servidor no puede dar acceso ahora: «{ $text }»
doctor-login-temporary-next = Pruebe de nuevo en unos minutos.
doctor-login-web = el proveedor bloquea el acceso: «{ $text }»
doctor-login-web-means = El proveedor quiere que el dueño acceda primero en la página web y confirme algo allí.
doctor-login-no-mechanism = no hay ninguna forma de acceso que conozcan ambas partes
doctor-login-no-mechanism-means = El servidor solo ofrece accesos que este programa no tiene, o que no sirven con una contraseña.
doctor-login-no-mechanism-next = Si el servidor quiere un token, use --token-command. Si no, pida al administrador PLAIN sobre TLS o SCRAM-SHA-256.
doctor-login-other = el acceso falló: { $error }

doctor-session-silent = { $seconds ->
    [one] el servidor calló durante 1 segundo
   *[other] el servidor calló durante { $seconds } segundos
}
doctor-session-silent-next = Pruebe más tarde, o con un --timeout mayor.
doctor-session-closed = el servidor cerró la conexión
doctor-session-closed-means = Algunos servidores cuelgan en lugar de rechazar: demasiados accesos o un bloqueo.
doctor-session-closed-next = Espere unos minutos y pruebe de nuevo.
doctor-session-other = { $error }
doctor-mailbox = { $messages ->
    [one] 1 mensaje, { $octets } octetos
   *[other] { $messages } mensajes, { $octets } octetos
}
doctor-speed = una orden tarda { $milliseconds } ms
doctor-speed-no-pipeline = Sin PIPELINING cada mensaje espera la respuesta al anterior.
doctor-speed-pipeline = una orden tarda { $milliseconds } ms; { $count } tardan { $apart } ms una a una y { $together } ms encadenadas

doctor-result-works = El correo se puede descargar: { $command }
doctor-result-no-login = El servidor se puede usar; no se probó el acceso. El correo se descarga con: { $command }
doctor-result-fails = El correo no se puede descargar. Las líneas marcadas con ✗ dicen por qué y qué hacer.
doctor-report-examined = examinado: { $subject }

guide-overview = POP3 para { $address }
guide-title = { $client } para { $address }
guide-before = Antes de empezar
guide-steps = Pasos
guide-checked = Escrito para { $version }. Otras versiones pueden usar otros nombres.
guide-warning = Aviso: { $text }
guide-clients = Pasos para un programa de correo: pop3 guide DIRECCIÓN --client NOMBRE. Nombres: { $names }.
guide-unknown-client = no se conoce el programa de correo { $client }
guide-no-address = { $text } no es una dirección de correo
guide-name-host = Indique su servidor: pop3 guide DIRECCIÓN --host pop.example.org
guide-field-host = Servidor
guide-field-port = Puerto
guide-field-security = Seguridad
guide-field-user = Usuario
guide-field-password = Contraseña
guide-security-tls = TLS desde el principio (SSL/TLS)
guide-security-stls = STLS (STARTTLS)
guide-password-account = la contraseña del buzón
guide-password-app = la contraseña de aplicación
guide-password-code = el código de autorización
guide-password-token = déjela vacía: el programa debe ofrecer un acceso en el navegador (OAuth), o no se puede usar
guide-your-name = su nombre, como lo ven los demás
guide-smtp = el servidor de salida que indica su proveedor
guide-switch-on = Active POP en { $provider } y obtenga allí la contraseña: { $text }
guide-poll = { $minutes ->
    [one] { $provider } acepta un acceso por minuto.
   *[other] { $provider } acepta un acceso cada { $minutes } minutos.
}
guide-deletion = Borrado en { $provider }: { $text }
guide-help = Ayuda de { $provider }: { $text }
guide-source = Estos datos son de { $source } ({ $date }).
guide-place-thunderbird = Para Thunderbird: publíquelo como https://autoconfig.{ $domain }/mail/config-v1.1.xml
guide-place-outlook = Para Outlook: publíquelo como https://autodiscover.{ $domain }/autodiscover/autodiscover.xml, también como respuesta a POST
guide-place-apple = Para Apple Mail en Mac, iPhone y iPad: envíelo al usuario u ofrézcalo como descarga

introduction =
    pop3 trae el correo a casa por POP3, lo sirve y dice qué falla.

      pop3 fetch usted@example.org     traer el correo nuevo a ~/Mail/usted@example.org
      pop3 doctor usted@example.org    averiguar por qué no llega el correo
      pop3 serve --help                servir el correo de un equipo

    pop3 --help lo muestra todo; pop3 demo enseña cómo funciona.
fetch-interrupted = { $count ->
    [0] interrumpido; no se guardó ningún mensaje. La próxima vez continúa.
    [one] interrumpido; 1 mensaje está guardado. La próxima vez se descarga el resto.
   *[other] interrumpido; { $count } mensajes están guardados. La próxima vez se descarga el resto.
}
fetch-no-maildir = { $folder } no está vacía y no es un Maildir
fetch-no-maildir-next = Indique una carpeta nueva o vacía, o un Maildir: una carpeta con las carpetas cur, new y tmp.

read-empty = No hay correo.
read-newest = Estos son los { $shown } mensajes más nuevos de { $count }; --all los muestra todos.
read-no-message = no existe el mensaje { $number }
read-no-maildir = { $folder } no es un Maildir
read-delete-local = --delete es para el correo de un servidor; en un Maildir, borre el archivo
read-ask = { $count ->
    [one] ¿Borrar este mensaje en el servidor? No se puede recuperar. [s/N]
   *[other] ¿Borrar estos { $count } mensajes en el servidor? No se pueden recuperar. [s/N]
}
read-yes = s sí si y
read-no-terminal = no hay terminal para preguntar; --yes borra sin preguntar
read-nothing-deleted = No se borra nada.
read-refused = el servidor rechaza borrar el mensaje { $number }, así que no se borra nada
read-deleted = { $count ->
    [one] 1 mensaje borrado en el servidor.
   *[other] { $count } mensajes borrados en el servidor.
}
read-no-text = (Este mensaje no tiene texto.)
read-attachment = Adjunto: { $name } ({ $octets } octetos)
read-from = De
read-to = Para
read-cc = Copia
read-date = Fecha
read-subject = Asunto

accounts-none = no hay ninguna cuenta configurada
accounts-none-next = Indique una dirección: pop3 fetch DIRECCIÓN. O añada una cuenta: pop3 accounts add DIRECCIÓN
accounts-unknown = no existe la cuenta { $account }; pop3 accounts list las muestra
accounts-exists = ya existe una cuenta { $account } en { $file }
accounts-exists-next = Dé otro nombre a esta: --name NOMBRE
accounts-no-home = no hay carpeta para el archivo de cuentas: defina HOME o XDG_CONFIG_HOME
accounts-no-maildir = un servidor necesita también un Maildir: pop3 accounts add SERVIDOR MAILDIR --user NOMBRE
config-unknown-key = { $place }: no existe la clave { $key }
config-similar-key = Existe una clave parecida: { $key }
accounts-keys = Las claves son las opciones de pop3 fetch; pop3 fetch --help las muestra.
config-wrong-type = { $place }: el valor de { $key } es de otra clase
config-wrong-key = { $place }: { $error }
accounts-no-server = { $place }: falta la clave server; es una dirección de correo o un servidor
accounts-works = { $count ->
    [one] { $account }: el acceso funciona; hay 1 mensaje en el servidor
   *[other] { $account }: el acceso funciona; hay { $count } mensajes en el servidor
}
accounts-added = { $count ->
    [one] { $account } se añadió a { $file }; hay 1 mensaje en el servidor. Descárguelo: pop3 fetch
   *[other] { $account } se añadió a { $file }; hay { $count } mensajes en el servidor. Descárguelos: pop3 fetch
}
accounts-store = ¿Guardar la contraseña en { $file }, que solo usted puede leer? [S/n]

conformance-seen = El servidor: «{ $seen }»
conformance-login-refused = el servidor rechaza el acceso, así que solo se examinó lo anterior; pop3 doctor sin --conformance dice por qué
conformance-greeting = El saludo empieza con +OK.
conformance-greeting-length = El saludo tiene como mucho 512 octetos.
conformance-capa = El servidor responde a CAPA.
conformance-capa-lines = Cada línea de CAPA tiene como mucho 512 octetos y ninguna está vacía.
conformance-unknown = Una orden desconocida se responde con -ERR.
conformance-state = STAT antes del acceso se responde con -ERR.
conformance-pass-first = PASS sin USER se responde con -ERR.
conformance-empty = Una línea vacía se responde con -ERR.
conformance-stls-twice = STLS sobre TLS se responde con -ERR.
conformance-stls-offered = STLS no se ofrece sobre TLS.
conformance-long-line = Una línea de 255 octetos se lee como una sola orden.
conformance-pipelining = Las órdenes enviadas juntas se responden una a una y en orden.
conformance-cancel = Un acceso se cancela con un asterisco y se responde con -ERR.
conformance-case = Las órdenes pueden ir en minúsculas.
conformance-quit = Tras QUIT el servidor cierra la conexión.
conformance-open = la conexión sigue abierta
conformance-injection = Una orden en claro tras STLS no se responde sobre TLS.
conformance-injected = una orden enviada en claro se respondió sobre TLS: un atacante en la red puede introducir órdenes
conformance-noop = NOOP se responde con +OK.
conformance-stat = STAT se responde con el número y el tamaño de los mensajes.
conformance-list = LIST tiene tantos mensajes y octetos como STAT.
conformance-list-one = LIST con un número se responde en una línea.
conformance-uidl = Los identificadores únicos tienen de 1 a 70 caracteres imprimibles y son distintos.
conformance-zero = El mensaje número 0 se responde con -ERR.
conformance-beyond = Un número mayor que el último se responde con -ERR.
conformance-no-number = Lo que no es un número se responde con -ERR.
conformance-logged-in = USER después del acceso se responde con -ERR.
conformance-rset = RSET se responde con +OK.
conformance-update = QUIT después del acceso se responde con +OK.
conformance-result = { $broken ->
    [0] Se cumplen las { $count } reglas que se pudieron examinar.
    [one] No se cumple 1 de las { $count } reglas que se pudieron examinar.
   *[other] No se cumplen { $broken } de las { $count } reglas que se pudieron examinar.
}

error-connect = no se puede conectar con { $host }, puerto { $port }: { $cause }
error-silent = el servidor calló, o fue demasiado lento, durante { $time } mientras { $waiting }
error-seconds = { $count } segundos
error-milliseconds = { $count } milisegundos
error-refused = el servidor rechazó { $verb }{ $reply }
error-no-session = el servidor rechaza sesiones ahora{ $reply }
error-tls-unknown-issuer = TLS: el certificado del servidor no está firmado por una autoridad de confianza
error-tls-self-signed = TLS: el servidor ha firmado él mismo su certificado, así que nada demuestra de quién es
error-tls-expired = TLS: el certificado del servidor caducó el { $date }, hace { $days } días
error-tls-not-yet = TLS: el certificado del servidor no es válido hasta el { $date }, dentro de { $days } días; ¿está en hora el reloj de este equipo?
error-tls-none = TLS: el servidor no habla TLS en este puerto
error-no-unique-ids = el servidor no tiene UIDL, así que no se distinguen los mensajes nuevos de los descargados
error-unique-ids-unavailable = el servidor no da ahora sus identificadores únicos
error-locked = otra ejecución está descargando { $account } en este Maildir
error-listed-twice = la lista del servidor nombra un mensaje dos veces, así que no es de fiar
error-endless-listing = la lista del servidor nombra muchos más mensajes de los que cuenta, así que no es de fiar
waiting-greeting = se esperaba su saludo
waiting-login = se esperaba el acceso
waiting-reply = se esperaba una respuesta
waiting-message = se recibía un mensaje
waiting-end = se esperaba el final de la sesión
waiting-handshake = se negociaba TLS
waiting-command = se enviaba una orden
advice-in-use = Otro programa está leyendo este buzón. Pruebe de nuevo en unos minutos.
advice-login-delay = El servidor exige una pausa entre accesos. Pruebe más tarde.
advice-login-delay-seconds = El servidor exige una pausa de { $seconds } segundos entre accesos. Pruebe después.
advice-temporary = El servidor tiene un fallo temporal. Pruebe más tarde.
advice-permanent = El servidor tiene un fallo que debe arreglar su administrador.
advice-not-tls = Use --stls en un puerto que empieza sin TLS (normalmente 110).
advice-self-signed = Si es su propio servidor, copie de él el certificado e indíquelo con --ca-file.
advice-unknown-issuer = Si el servidor tiene un certificado privado, pídalo al administrador e indíquelo con --ca-file.
advice-wrong-name = Use un nombre de servidor que esté en el certificado.
advice-switched-off = POP3 está desactivado en esta cuenta. Actívelo en los ajustes del buzón en la página web del proveedor.
advice-other-password = El proveedor pide otra clase de contraseña: una contraseña de aplicación o un código de autorización de su página web, o un token (--token-file, --token-command).
advice-ambiguous = El servidor nombra varias causas a la vez: contraseña incorrecta, otra clase de contraseña (pruebe un código de autorización), POP3 desactivado o demasiados accesos.
advice-connect = Revise el servidor, el puerto y la red.
advice-cleartext = Use TLS, o --dangerously-cleartext en una red de confianza.
advice-hung-up = Algunos servidores cuelgan sin responder si el usuario o la contraseña no son correctos. Revise ambos.
advice-no-unique-ids = Use solo --delete: cada mensaje se descarga una vez y se borra en el servidor.
advice-later = Pruebe más tarde.
advice-locked = Espere a que termine la otra ejecución.
advice-token = Indique un token con --token-command o --token-file.
advice-tls-port = Un puerto con TLS desde el principio (normalmente 995) no necesita --stls ni --dangerously-cleartext.
advice-disk = Solo se borraron del servidor mensajes guardados en el disco. Arregle el disco y pruebe de nuevo.
advice-provider-pop-off = { $provider } dice que POP está desactivado en este buzón.
advice-provider-too-often = { $provider } limita la frecuencia de los accesos. Pruebe más tarde.
advice-provider-blocked = { $provider } bloquea esta cuenta. Entre en su página web para ver por qué.
advice-provider-web-login = { $provider } quiere primero un acceso en su página web.
wants-account = { $provider } pide la contraseña del buzón
wants-app = { $provider } pide una contraseña de aplicación, que no es la de la página web
wants-code = { $provider } pide un código de autorización, que no es la contraseña de la página web
wants-token = { $provider } pide un token (OAuth); las contraseñas se rechazan
wants-app-or-token = { $provider } pide una contraseña de aplicación, que no es la de la página web, o un token (OAuth)
password-prompt = Contraseña de { $account }:{ " " }
password-none = no se dio contraseña y no hay terminal para pedirla
password-none-next = Defina POP3_PASSWORD, o use --password-file o --password-command.
fetch-guessed = servidor supuesto: { $host }; saluda como servidor POP3, con un certificado para este nombre
fetch-settings = { $host }, puerto { $port }, usuario { $user }; el correo va a { $folder }
fetch-other-user = el usuario es { $user }, no la dirección; con --user { $user } la próxima vez basta un acceso
fetch-no-pop3 = { $address } no se puede descargar por POP3: { $why }
fetch-no-guess = Su dominio no publica ajustes para programas de correo, y ni pop.{ $domain }, pop3.{ $domain }, mail.{ $domain } ni { $domain } es un servidor POP3 con un certificado para su nombre.
fetch-name-host = Indíquelo: pop3 fetch DIRECCIÓN --host pop.example.org. Las páginas de ayuda de su proveedor lo nombran, a menudo con la palabra POP o POP3.
fetch-stored = { $count ->
    [one] 1 mensaje está guardado. Repita la orden para descargar el resto.
   *[other] { $count } mensajes están guardados. Repita la orden para descargar el resto.
}
fetch-nothing = nada nuevo
fetch-fetched = { $count ->
    [one] 1 mensaje ({ $size }) descargado
   *[other] { $count } mensajes ({ $size }) descargados
}
fetch-deleted = { $count } borrados en el servidor
fetch-known = { $count } ya conocidos
fetch-kept = { $count } siguen en el servidor aunque confirmó su borrado
fetch-too-large = { $count } mayores que el límite quedan en el servidor
fetch-comma = {", "}
fetch-some-failed = Todo lo demás está hecho. La próxima vez se intenta de nuevo.
accounts-proxy-password = la contraseña de un proxy no se escribe en el archivo de cuentas: quite --proxy y defina POP3_PROXY al descargar
accounts-password-exists = ya existe el archivo { $file }; bórrelo o dé otro --name a la cuenta
accounts-one-password = POP3_PASSWORD es para una sola cuenta, y varias no tienen contraseña propia: use password-file o password-command en sus secciones
conformance-withheld = (no se muestra: contiene la contraseña)
conformance-token = --conformance accede con contraseña, no con un token
accounts-wrong-name = una cuenta necesita un nombre sin caracteres de control: --name NOMBRE
accounts-not-utf8 = el archivo de cuentas es UTF-8, y una ruta u opción no lo es; elija otra
guide-control = { $text } contiene caracteres de control
fetch-plan-fetch = traer
fetch-plan-fetch-and-delete = traer y luego borrar en el servidor
fetch-plan-compare = traer de nuevo y comparar: su identificador no muestra si está guardado
fetch-plan-delete = borrar en el servidor: ya está guardado
fetch-plan-too-large = dejar: supera el límite
fetch-plan-set-aside = dejar por ahora: varios intentos han fallado
fetch-plan-no-unique-id = dejar: no tiene identificador único
fetch-plan-known = ya guardado
fetch-plan = { $fetch } por traer ({ $size }), { $delete } por borrar, { $known } ya guardados. No se ha traído ni borrado nada.
fetch-plan-compare-and-delete = traer de nuevo, comparar y luego borrar en el servidor
state-of = { $account } en { $folder } conoce:
state-stored = guardados
state-suspect = guardados, pero quizá incompletos
state-deleting = borrado solicitado
state-deleted = borrados en el servidor
state-kept = siguen en el servidor aunque confirmó el borrado
state-elsewhere = traídos por otro programa
state-imported = { $count ->
    [one] 1 mensaje asumido
   *[other] { $count } mensajes asumidos
} para { $account }, { $known } ya conocidos
state-others = { $file } no tiene lista para { $user } en { $host }
state-others-next = Tiene listas para: { $others }. Indique el usuario con --user y el servidor con --host.
source-srv = registros SRV
source-autoconfig = los ajustes publicados
source-guess = una suposición
fetch-looking = se busca el servidor de { $address }
fetch-found-srv = los registros SRV nombran el servidor { $host }; tiene un certificado para ese nombre
fetch-found-autoconfig = el dominio publica ajustes para programas de correo: el servidor es { $host }
advice-kept = Este servidor se encontró el { $date } por { $source } y se guarda en { $file }. Quite allí su entrada para buscarlo otra vez.
srv-not-offered = { $domain } dice en sus registros SRV que no tiene POP3
srv-ask = Los registros SRV nombran el servidor { $host }, que no está en { $domain }. ¿Es el servidor de su proveedor? [s/N]
srv-elsewhere = los registros SRV nombran el servidor { $host }, que no está en { $domain }; tales registros se pueden falsificar
srv-elsewhere-next = Si es el servidor de su proveedor, nómbrelo: --host { $host }
doctor-settings-srv = encontrado por registros SRV: { $host }, puerto { $ports }, usuario { $user }
doctor-settings-autoconfig = encontrado en los ajustes que publica el dominio: { $host }, puerto { $ports }, usuario { $user }
advice-oauth = Inicie sesión en su página web: pop3 login { $account } --oauth-client-id ID, con el identificador de un programa que usted registre:
oauth-unknown = no se sabe dónde { $host } da acceso por OAuth
oauth-unknown-next = Nombre las direcciones: --oauth-token-url, y --oauth-authorize-url o --oauth-device-url.
oauth-no-home = no hay un directorio personal donde guardar el acceso; defina HOME o XDG_STATE_HOME
oauth-no-client = un inicio de sesión por OAuth necesita un identificador de cliente
oauth-no-client-next = Registre un programa en el proveedor y dé su identificador con --oauth-client-id, o como la clave oauth-client-id de la cuenta.
oauth-none = todavía no hay acceso al buzón de { $user }, o ha terminado
oauth-none-next = Inicie sesión en un terminal, con las mismas opciones: pop3 login { $account }
oauth-device = para que este programa lea el correo de { $user }, abra { $url } en cualquier dispositivo y escriba el código { $code }
oauth-browser = para que este programa lea el correo de { $user }, abra esta página en un navegador de esta máquina:
oauth-paste = La página termina en una dirección que quizá no se abra. Pegue esa dirección aquí:
oauth-not-pasted = esta no es la dirección en la que terminó este inicio de sesión: { $text }
oauth-late = el inicio de sesión en la página web no terminó en diez minutos
oauth-page-done = El programa ya tiene acceso. Puede cerrar esta página.
oauth-page-refused = El programa no tiene acceso; él dice por qué. Puede cerrar esta página.
oauth-scope = aviso: el proveedor no ha concedido el permiso { $scope }, y el servidor de correo quizá rechace el inicio de sesión
oauth-unreachable = no se puede obtener un token de { $url }: { $error }
oauth-unreadable = su respuesta no es de OAuth 2.0
oauth-refused = el proveedor no da acceso: { $text }
deliver-done = { $count ->
    [one] 1 mensaje entregado
   *[other] { $count } mensajes entregados
}
deliver-waiting = { $count ->
    [one] 1 mensaje espera en { $folder } a la próxima ejecución. Allí está a salvo.
   *[other] { $count } mensajes esperan en { $folder } a la próxima ejecución. Allí están a salvo.
}
deliver-failed = { $destination }: { $error }
deliver-no-recipient = { $destination } necesita un destinatario: --recipient DIRECCIÓN
deliver-and-maildir = el correo va o bien a un Maildir o bien a --deliver-to; --deliver-to maildir:CARPETA añade un Maildir a otros destinos
deliver-no-home = no hay un directorio personal para el correo que espera; defina HOME o XDG_STATE_HOME
fetch-works-again = vuelve a funcionar
timer-accounts = el temporizador trae las cuentas de la configuración; añada esta con pop3 accounts add
timer-cron = Aquí no hay systemd. Una línea para crontab -e hace lo mismo: { $line }
timer-installed = El temporizador está en { $folder }. Inícielo: systemctl --user daemon-reload && systemctl --user enable --now pop3-fetch.timer (y sudo loginctl enable-linger, si debe funcionar sin sesión abierta).
fetch-later = { $count } quedan para la próxima ejecución
fetch-plan-later = dejar para la próxima ejecución: supera el límite
config-missing-key = { $place }: falta la clave { $key }, que otra clave necesita
oauth-proxy = un inicio de sesión por OAuth pasa solo por proxies HTTP; quite el proxy o dé un token con --token-command
accounts-removed = { $account } se ha quitado de { $file }. Su correo se queda, y lo que hay en { $state }: correo que espera y acceso por OAuth.
accounts-not-removed = la tabla de { $account } no se distingue de las otras; quítela de { $file } con un editor
timer-options = un temporizador trae todas las cuentas como dice la configuración; escriba allí las otras opciones, como claves de las cuentas
url-scheme = la URL de un servidor POP3 empieza por pops:// o pop://
url-password = la URL de un servidor POP3 no contiene contraseña (RFC 2384); otros usuarios podrían verla
url-password-next = Quítela. El programa la pide, o la toma de POP3_PASSWORD o de --password-file.
url-user = el nombre de usuario de la URL no es UTF-8
url-auth = tras el nombre de usuario, la URL puede decir ;auth=MÉTODO
url-method = el método de inicio de sesión de la URL no se conoce; pop3 fetch --help enumera los de --auth
host-wrong = { $text } no es un nombre de servidor
host-wrong-next = Por ejemplo: pop.example.org, pop.example.org:995, [2001:db8::1]:995 o pops://joe@pop.example.org
target-no-settings = --autoconfig-file es para una dirección de correo; un nombre de servidor no necesita ajustes
target-no-host = --host es para una dirección de correo; un nombre de servidor no necesita otro
target-twice = { $text } y una opción dicen lo mismo dos veces; quite una
target-no-user = un nombre de servidor necesita también --user
target-no-user-example = Por ejemplo: pop3 fetch pop.example.org --user joe ~/Maildir
target-address-enough = Con una dirección de correo basta la dirección: pop3 fetch joe@gmail.com
place-no-maildir = un nombre de servidor necesita también un Maildir
place-no-default = no hay una carpeta predeterminada para { $name }
place-name-maildir = Nombre un Maildir: pop3 fetch DIRECCIÓN MAILDIR
password-empty-file = { $file }: la primera línea está vacía
password-readable = aviso: otros usuarios pueden acceder a { $file }; use chmod 600
password-netrc-home = no hay un directorio personal para .netrc
password-netrc-none = { $file } no tiene contraseña para { $user } en { $host }
password-netrc-next = Añada una línea: machine { $host } login { $user } password …
password-no-credentials = no hay credenciales: CREDENTIALS_DIRECTORY no está definida
password-no-credentials-next = --credential es para un servicio de systemd con LoadCredential= o LoadCredentialEncrypted=.
password-credential-name = { $name } no es el nombre de una credencial
password-command-failed = la orden de la contraseña falló: { $error }
token-command-failed = la orden del token falló: { $error }
password-command-silent = no escribió nada
token-not-ascii = el token de acceso contiene bytes que no son ASCII
deliver-circles = { $count } servidores han reenviado un mensaje: da vueltas en círculo
deliver-in-the-clear = { $address } es otra máquina, y el correo iría allí sin cifrar
deliver-closed = ha cerrado la conexión
deliver-no-reply = esto no es una respuesta: { $text }
deliver-leaves = se va: { $text }
deliver-refuses = rechaza { $what }: { $text }
deliver-refuses-message = rechaza el mensaje: { $text }
deliver-refuses-session = rechaza las sesiones: { $text }
deliver-command-later = la orden dice que falla por ahora (código de salida 75)
deliver-command-none = la orden no se puede ejecutar (código de salida { $code })
deliver-command-code = la orden terminó con el código de salida { $code }
deliver-command-ended = la orden fue terminada: { $status }
mbox-link = { $file } es un enlace de otro usuario
mbox-no-file = { $file } no es un archivo
mbox-no-messages = { $file } no es un archivo de mensajes: no empieza con una línea From
mbox-locked = otro programa lo ha bloqueado: { $file }
doctor-names-alias = { $host } es otro nombre de { $target }
doctor-names-alias-means = El certificado debe ser para el nombre que usted usa, no para aquel.
state-nothing = no se sabe nada de { $account }
state-ask = Se conocen { $count } mensajes de { $account }. ¿Olvidarlos, de modo que la próxima ejecución los descargue otra vez si están en el servidor? [s/N]
state-not-forgotten = No se olvidó nada.
state-forgotten = { $count } mensajes de { $account } olvidados; la próxima ejecución descarga lo que hay en el servidor
state-no-terminal = no hay un terminal para preguntar; --yes olvida sin preguntar
demo-begins =
    Un servidor POP3 funciona en este equipo. Su Maildir contiene { $count } mensajes.
    Un cliente (C) los descarga del servidor (S). Este es su diálogo:
demo-authorization = AUTHORIZATION: el cliente inicia sesión
demo-transaction = TRANSACTION: el cliente enumera y descarga los mensajes
demo-update = UPDATE: el servidor borra los mensajes marcados y la sesión termina
demo-more-lines = (y { $count } líneas más)
demo-message = (el mensaje: { $size })
demo-handshake = (la negociación TLS; todo lo que sigue va cifrado)
demo-fetched =
    Todos los mensajes se descargaron en un segundo Maildir, byte por byte como se enviaron.

    Para descargar su correo:  pop3 fetch usted@example.org            (pop3 fetch --help)
    Si no llega correo:        pop3 doctor usted@example.org           (pop3 doctor --help)
    Para servir Maildirs:      pop3 serve --users FILE --mail PATH …   (pop3 serve --help)
demo-on-a-terminal =
    Para conectar su programa de correo a este servidor, ejecute `pop3 demo` en un terminal, sin --once. El
    servidor funciona entonces hasta Ctrl-C, y se muestran los datos para su programa: POP3, 127.0.0.1,
    un puerto con STARTTLS y otro con SSL/TLS, el usuario y la contraseña.
demo-settings =
    Para conectar su programa de correo a este servidor, use estos datos:
      protocolo    POP3
      servidor     { $host }
      seguridad    STARTTLS en el puerto { $plain }, o SSL/TLS en el puerto { $tls }
      usuario      { $user }
      contraseña   { $password }
    El servidor firmó él mismo su certificado, así que su programa preguntará una vez si confía en él.
    Por ejemplo:
demo-until =
    Los mensajes descargados están en
      { $folder }

    El servidor funciona hasta que pulse Ctrl-C. Entonces se borran los dos Maildirs y el certificado.
demo-incomplete = solo se descargaron { $count } de los mensajes: { $problems }
demo-differ = los mensajes descargados difieren de los del servidor; es un error del programa, comuníquelo, por favor
demo-folder = no se puede crear una carpeta temporal: { $error }
cannot-listen = no se puede escuchar en { $address }: { $error }
serve-nowhere = no hay dónde escuchar
serve-nowhere-next = Indique --listen o --listen-tls, o ambas.
serve-no-certificate = sin un certificado ningún usuario podría iniciar sesión
serve-no-certificate-next = Indique --cert y --key, o --dangerously-cleartext en una red de confianza.
serve-users-next = `pop3 passwd FILE NAME` crea el archivo y añade un usuario.
serve-mail = --mail { $path } no es una ruta que nombre al usuario: con %u, con %n y %d, o con %h al principio
serve-mail-next = Indique una ruta como --mail '/home/%u/Maildir'.
passwd-new = Nueva contraseña de { $user }:
passwd-repeat = Repita la nueva contraseña:
passwd-differ = las dos contraseñas son distintas; no se cambió nada
passwd-empty = la contraseña está vacía; no se cambió nada
passwd-name = { $user } no puede ser el nombre de un usuario
passwd-name-next = Un nombre no debe contener / ni :, no debe empezar por # ni -, y no debe empezar ni terminar con un punto o un espacio.
passwd-set = { $user } puede iniciar sesión con la nueva contraseña.
stdin-no-password = la primera línea de la entrada estándar no contiene ninguna contraseña
stdout-failed = no se puede escribir en la salida estándar: { $error }
problem-no-unique-id = { $count ->
    [one] 1 mensaje no descargado: el servidor no le da identificador único
   *[other] { $count } mensajes no descargados: el servidor no les da identificador único
} (--delete sin --delete-after ni --keep-newest descarga esos mensajes)
problem-not-listed = { $count ->
    [one] 1 mensaje no descargado: el servidor cuenta más mensajes de los que enumera
   *[other] { $count } mensajes no descargados: el servidor cuenta más mensajes de los que enumera
}
problem-set-aside = el mensaje { $number } queda aparte: varios intentos de descargarlo fallaron; se intenta de nuevo una vez al día
problem-session-broke = el mensaje { $number } no se descargó: { $error }; { $next }
problem-not-retrieved = el mensaje { $number } no se descargó; el servidor respondió: { $reply }
problem-not-deleted = el mensaje { $number } no se pudo borrar; el servidor respondió: { $reply }
problem-wrong-size = el mensaje { $number } tiene { $octets } octetos en lugar de los { $announced } que anunció el servidor, así que se queda en el servidor; { $next }
problem-next-aside = queda aparte y se intenta de nuevo una vez al día
problem-next-again = se intenta de nuevo la próxima vez
problem-next-short = se guardó como llegó y puede estar incompleto
problem-next-stored = se guardó como llegó
problem-not-all-removed = el servidor no eliminó todos los mensajes borrados: { $error }
problem-removal-unknown = no se sabe si el servidor eliminó los mensajes borrados: { $error }
problem-next-session = los demás mensajes esperan a la próxima ejecución: { $error }
error-closed = el servidor cerró la conexión { $when }
error-closed-idle = cuando no se le había pedido nada
error-closed-greeting = antes de su saludo
error-closed-reply = antes de responder a { $verb }
error-closed-rest = en medio de su respuesta a { $verb }
error-not-pop3 = el servidor no habla POP3 aquí: envió "{ $sent }"{ $service }
error-service-imap = es un servidor IMAP; POP3 suele estar en el puerto 995 o 110
error-service-smtp = es un servidor SMTP o FTP; POP3 suele estar en el puerto 995 o 110
error-service-ssh = es un servidor SSH
error-service-web = es un servidor web
error-service-tls = es TLS: use TLS implícito en este puerto
error-cleartext-login = no se inicia sesión sin TLS; use TLS o STLS, o permita expresamente un inicio de sesión sin cifrar
error-no-mechanism = el servidor no ofrece ninguna forma de iniciar sesión que sea posible y esté permitida aquí
error-tls-wrong-name = TLS: el certificado del servidor es de otro nombre{ $names }
error-tls-names = : es de { $names }
error-tls-names-more = : es de { $names } y otros
error-tls-untrusted = TLS: el certificado del servidor no es de confianza: { $error }
error-tls-nothing-in-common = TLS: ninguna versión de TLS ni ningún cifrado en común: { $error }
accounts-place = { $file }, cuenta { $account }
serve-keys = Las claves son las opciones de pop3 serve; pop3 serve --help las muestra.
serve-users = no se indica ningún archivo de usuarios
serve-users-give = Indique --users, o la clave users en el archivo de --config.
serve-mail-none = no se indica dónde está el correo
serve-run-as = --run-as { $name }: { $error }
serve-run-as-no-user = no existe ese usuario
serve-run-as-no-group = no existe ese grupo
serve-run-as-root = es el propio root
serve-run-as-kept = se podría volver a ser root
serve-run-as-next = Solo root puede convertirse en otro usuario. Inicie el servidor como root, o quite --run-as.
serve-check-listen = escucha en { $address } para { $kind }
serve-check-certificate = certificado { $file }: de { $names }, hasta el { $date }
serve-check-ended = certificado { $file }: de { $names }; caducó el { $date } y los clientes lo rechazan
serve-check-users = { $count ->
    [one] 1 usuario en { $file }
   *[other] { $count } usuarios en { $file }
}
serve-check-mail = el correo de { $user } está en { $path }
serve-check-no-mail = el correo de { $user } estaría en { $path }, que no existe: { $user } no encuentra mensajes
serve-check-run-as = funciona como { $name }
serve-check-as-root = funciona como root: indique --run-as, para que un error del servidor no pueda dañar todo el equipo
serve-check-mechanisms = inicios de sesión: { $mechanisms }
serve-check-sessions = como máximo { $count } sesiones, { $source } de un mismo origen
serve-check-good = Los ajustes son correctos. No se inició nada.
serve-run-as-users = El usuario de --run-as, { $name }, debe poder leer el archivo de usuarios.
fetch-ids-changed = { $account }: el servidor ha dado otros identificadores a todos los mensajes, como tras un traslado; { $count ->
    [one] 1 mensaje se reconoció por el contenido y no se guardó otra vez
   *[other] { $count } mensajes se reconocieron por el contenido y no se guardaron otra vez
}
error-ids-changed = el servidor ha dado otros identificadores a todos los mensajes
advice-ids-changed = ¿Se trasladó el correo a otro servidor? --on-uid-change compare no guarda nada dos veces; --on-uid-change fetch toma todos los mensajes por nuevos.
serve-per-user = --per-user necesita root: { $error }
serve-check-per-user = accede a cada Maildir con los derechos de su propietario
config-own-key = { $place }: la clave { $key } es de una sola cuenta, no de todas
accounts-one-pin = --pin es para el servidor de una sola cuenta: nombre la cuenta, o póngalo como clave de esa cuenta
serve-needs = { $option } necesita también { $other }
serve-check-no-place = la ruta de --mail no tiene lugar para { $user }: el nombre no tiene parte tras la @, o el archivo de usuarios no indica carpeta personal
