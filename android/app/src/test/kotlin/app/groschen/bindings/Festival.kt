package app.groschen.bindings

import org.junit.Assert.assertTrue
import java.io.File
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread

/** The real server with the sample festival, as `groschen serve` runs it, in a process of its own. */
class Festival(folder: File, tills: List<Int>) : AutoCloseable {
    private val data = File(folder, "festival").apply { mkdirs() }
    private val log = File(folder, "server.log")

    /** The cable that all its phones hang on. */
    val cable = Cable()

    private val program = requireNotNull(System.getProperty("groschen.program")) { "-Dgroschen.program=… names the built server" }
    private val process: Process
    private val codes: Map<Int, String>

    init {
        val arguments = tills.flatMap { listOf("--register", it.toString()) }
        process = ProcessBuilder(
            listOf(program, "serve", "--sample", "--simulated-wristbands", "--no-confirm", "--json", "--listen", "127.0.0.1:0", "--data", data.path) +
                listOf("--public-url", "http://127.0.0.1:${cable.port}") + arguments,
        ).redirectError(log).start()
        val lines = process.inputStream.bufferedReader()
        val said = generateSequence { lines.readLine() }.iterator()
        // Whatever goes wrong here, the server must not stay behind.
        Runtime.getRuntime().addShutdownHook(Thread { process.destroyForcibly() })
        val port = said.asSequence().firstNotNullOfOrNull { PORT.find(it)?.groupValues?.get(1)?.toInt() }
        cable.server = checkNotNull(port) { "the server did not start: ${log.readText()}" }
        codes = tills.associateWith { said.asSequence().firstNotNullOf { CODE.find(it)?.value } }
        thread(isDaemon = true) { lines.forEachLine { } }
    }

    /** The registration code of a till, as its QR says it. */
    fun code(till: Int) = codes.getValue(till)

    /** What one of the server's commands says of the books. */
    fun says(vararg command: String): String {
        val answer = ProcessBuilder(listOf(program) + command + listOf("--data", data.path)).redirectErrorStream(true).start()
        val text = answer.inputStream.bufferedReader().readText()
        check(answer.waitFor() == 0) { "${command.joinToString(" ")} failed: $text" }
        return text
    }

    /** Ends it in order, and has its books audited: nothing is wrong in them. */
    fun stopAndAudit() {
        stop()
        val audit = says("audit", "--json")
        assertTrue(audit, Regex(""""faults":\[]""").containsMatchIn(audit))
    }

    /** Waits until so many receipts carry a signature: orders are signed behind their acknowledgement. Gives how many do. */
    fun signedReceipts(wanted: Int): Int {
        val until = System.nanoTime() + SIGNED_WITHIN_NS
        while (true) {
            val signed = SIGNATURE.findAll(says("receipt", "--all")).count()
            if (signed >= wanted || System.nanoTime() > until) return signed
            Thread.sleep(200)
        }
    }

    /** Ends it in order. */
    fun stop() {
        cable.close()
        process.destroy()
        check(process.waitFor(20, TimeUnit.SECONDS)) { "the server does not end" }
    }

    override fun close() {
        if (process.isAlive) stop()
    }

    private companion object {
        const val SIGNED_WITHIN_NS = 20_000_000_000L
        val SIGNATURE = Regex("(?i)signatur")
        val CODE = Regex("GROSCHEN:1:[0-9A-F]+")
        val PORT = Regex("""listening.*:(\d+)/""")
    }
}

/** The network between a phone and the server: a cable that can be pulled. */
class Cable : AutoCloseable {
    private val socket = ServerSocket(0, 50, InetAddress.getLoopbackAddress())
    private val open = CopyOnWriteArrayList<Socket>()

    @Volatile
    private var isPulled = false

    /** The port of its end at the phones. */
    val port = socket.localPort

    /** The port of its end at the server. */
    @Volatile
    var server = 0

    init {
        thread(isDaemon = true) {
            while (!socket.isClosed) {
                val phone = runCatching { socket.accept() }.getOrNull() ?: return@thread
                if (isPulled) {
                    phone.close()
                    continue
                }
                val server = runCatching { Socket(InetAddress.getLoopbackAddress(), this.server) }.getOrNull()
                if (server == null) {
                    phone.close()
                    continue
                }
                open += listOf(phone, server)
                thread(isDaemon = true) { pipe(phone, server) }
                thread(isDaemon = true) { pipe(server, phone) }
            }
        }
    }

    private fun pipe(from: Socket, to: Socket) {
        runCatching { from.getInputStream().copyTo(to.getOutputStream(), 4_096) }
        runCatching { from.close() }
        runCatching { to.close() }
    }

    fun pull() {
        isPulled = true
        open.forEach { runCatching { it.close() } }
        open.clear()
    }

    fun plug() {
        isPulled = false
    }

    override fun close() {
        pull()
        socket.close()
    }
}
