package app.groschen.bindings

import app.groschen.core.Clock
import app.groschen.core.Display
import app.groschen.core.Effects
import app.groschen.core.HoldOutcome
import app.groschen.core.Keystore
import app.groschen.core.Library
import app.groschen.core.NfcLink
import app.groschen.core.PlatformException
import app.groschen.core.Selected
import app.groschen.core.Setup
import app.groschen.core.Signal
import app.groschen.core.SimulatedBand
import app.groschen.core.Terminal
import app.groschen.core.simulatedKeys
import app.groschen.view.DeviceState
import app.groschen.view.KeyPlace
import app.groschen.view.Language
import app.groschen.view.Network
import app.groschen.view.NetworkKind
import app.groschen.view.View
import java.io.File
import java.math.BigInteger
import java.security.KeyPairGenerator
import java.security.Signature
import java.security.interfaces.ECPublicKey
import java.security.spec.ECGenParameterSpec
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.ConcurrentLinkedQueue
import javax.crypto.Cipher
import javax.crypto.spec.SecretKeySpec

/** A Keystore in software: what Android's does, without the hardware that keeps its keys. */
class SoftwareKeystore : Keystore {
    private val pair = KeyPairGenerator.getInstance("EC").apply { initialize(ECGenParameterSpec("secp256r1")) }.generateKeyPair()
    private val bandKeys = ConcurrentHashMap<String, SecretKeySpec>()

    /** Whether it throws what nobody expects, as a Keystore does whose daemon died. */
    @Volatile
    var isBroken = false

    override fun publicKey(): ByteArray {
        breakIfBroken()
        val point = (pair.public as ECPublicKey).w
        return byteArrayOf(4) + point.affineX.toFixed() + point.affineY.toFixed()
    }

    override fun sign(message: ByteArray): ByteArray {
        breakIfBroken()
        val signer = Signature.getInstance("SHA256withECDSAinP1363Format")
        signer.initSign(pair.private)
        signer.update(message)
        return signer.sign()
    }

    override fun importAes(name: String, key: ByteArray): Boolean {
        bandKeys[name] = SecretKeySpec(key, "AES")
        return false
    }

    override fun aes(name: String, block: ByteArray): ByteArray {
        breakIfBroken()
        val key = bandKeys[name] ?: throw PlatformException.NoKey()
        return Cipher.getInstance("AES/ECB/NoPadding").apply { init(Cipher.ENCRYPT_MODE, key) }.doFinal(block)
    }

    override fun forget(name: String) {
        bandKeys.remove(name)
    }

    private fun breakIfBroken() {
        if (isBroken) throw IllegalStateException("the Keystore's daemon died")
    }

    private fun BigInteger.toFixed(): ByteArray {
        val bytes = toByteArray().dropWhile { it == 0.toByte() }.toByteArray()
        return ByteArray(32 - bytes.size) + bytes
    }
}

/** The clocks of this machine. */
object MachineClock : Clock {
    override fun wallMs() = System.currentTimeMillis()

    override fun elapsedMs() = System.nanoTime() / 1_000_000
}

/** Remembers what was to be heard. */
class HeardEffects : Effects {
    val heard = ConcurrentLinkedQueue<Signal>()

    override fun play(signal: Signal) {
        heard.add(signal)
    }

    override fun leaveKiosk() = Unit
}

/** A phone with which nothing is wrong. */
fun goodDevice() = DeviceState(
    language = Language.GERMAN, battery = 80, charging = false, hot = false, dark = null, nfc = true, audible = true,
    network = Network(NetworkKind.WIFI, 4), diskMb = 10_000, key = KeyPlace.SOFTWARE, batches = 0, kiosk = false,
)

/** Draws nothing and remembers the newest view; a test waits for the one it wants. */
class Watcher : Display {
    private val lock = Object()
    private var newest: View? = null

    private var lastDone: String? = null
    private val dones = HashMap<Long, Int>()

    /** How many views came. */
    @Volatile
    var count = 0
        private set

    override fun show(view: View) = synchronized(lock) {
        count++
        // Views come from several threads: one that was overtaken is of no use.
        if (view.serial < (newest?.serial ?: 0)) return@synchronized
        newest = view
        // A result stays for several views; its order says which it is.
        done(view)?.let { done ->
            if (lastDone != done.receipt) dones.merge(done.total, 1, Int::plus)
            lastDone = done.receipt
        }
        lock.notifyAll()
    }

    /** Something of the newest view. */
    fun <T> newest(what: (View) -> T): T? = synchronized(lock) { newest?.let(what) }

    /** How often this amount was booked so far. */
    fun doneCount(cents: Long): Int = synchronized(lock) { dones[cents] ?: 0 }

    /** Waits until it was booked once more, however briefly that was to be seen. */
    fun awaitDone(cents: Long, before: Int) = await("$cents cents to be booked") { (dones[cents] ?: 0) > before }

    /** The newest view; waits until there is one that fits, and says what it saw instead when none comes. */
    fun await(what: String, patienceMs: Long = 20_000, fits: (View) -> Boolean): View = synchronized(lock) {
        val until = System.nanoTime() + patienceMs * 1_000_000
        while (true) {
            newest?.let { if (fits(it)) return it }
            val leftMs = (until - System.nanoTime()) / 1_000_000
            if (leftMs <= 0) throw AssertionError("waited $patienceMs ms for $what and saw $newest")
            lock.wait(leftMs)
        }
        @Suppress("UNREACHABLE_CODE") throw AssertionError()
    }
}

/** A virtual wristband behind Kotlin's side of the field, as a real one is: every frame crosses over to Kotlin and back. */
class Link(val band: SimulatedBand) : NfcLink {
    override fun transceive(frame: ByteArray) = band.transceive(frame)

    override fun reselect(): Selected = band.reselect()
}

/** A phone of a test: a terminal with all that Kotlin gives it. */
class TestPhone(folder: File, val keystore: SoftwareKeystore = SoftwareKeystore()) : AutoCloseable {
    val effects = HeardEffects()
    val watcher = Watcher()
    val terminal: Terminal
    private val subscription: app.groschen.core.Subscription

    init {
        loadCore()
        val setup = Setup(folder.path, "test", "Testgerät", Language.GERMAN)
        terminal = Terminal.open(setup, keystore, MachineClock, effects)
        terminal.device(goodDevice())
        subscription = terminal.watch(watcher)
    }

    /** Holds a wristband as long as the till needs, and takes it away. */
    fun hold(band: SimulatedBand) = terminal.hold(Link(band), band.lay()).also { terminal.left() }

    /** Holds it, and pulls it away after so many frames. */
    fun hold(band: SimulatedBand, leavesAfter: Long): HoldOutcome {
        val selected = band.lay()
        band.leaveAfter(leavesAfter.toUInt())
        return terminal.hold(Link(band), selected).also { terminal.left() }
    }

    /** Ends the process of the app as the system does: nothing is said to anybody. */
    fun kill() {
        subscription.cancel()
        terminal.kill()
        terminal.end()
    }

    override fun close() {
        subscription.cancel()
        terminal.end()
        terminal.destroy()
    }
}

/** As the app does at its start: Java must load the library itself, so that the library learns of the Java machine. */
fun loadCore() = Library.load()

/** A wristband by the digits of its id. */
@OptIn(ExperimentalStdlibApi::class)
fun band(digits: String) = SimulatedBand.identity(digits.hexToByteArray())

private val PURSE_BATCH: UShort = 900u
private const val PASSPHRASE = "correct horse battery staple"

/** A simulated wristband with money on its chip. */
fun purse(index: UShort): SimulatedBand = SimulatedBand.purse(PURSE_BATCH, index)

/** The keys of the simulated batch, as the office hands them out. */
fun Terminal.takePurseKeys() {
    check(takeKeys(simulatedKeys(PURSE_BATCH, PASSPHRASE), PASSPHRASE) == 1)
}
