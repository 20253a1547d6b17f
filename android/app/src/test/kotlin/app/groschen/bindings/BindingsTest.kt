package app.groschen.bindings

import app.groschen.core.Display
import app.groschen.core.HoldOutcome
import app.groschen.core.KeysException
import app.groschen.core.LogLevel
import app.groschen.core.LogSink
import app.groschen.core.NfcException
import app.groschen.core.NfcLink
import app.groschen.core.NoSuchChip
import app.groschen.core.OpenException
import app.groschen.core.Selected
import app.groschen.core.Setup
import app.groschen.core.Signal
import app.groschen.core.SimulatedBand
import app.groschen.core.Terminal
import app.groschen.core.TouchException
import app.groschen.core.logTo
import app.groschen.view.Alarm
import app.groschen.view.Language
import app.groschen.view.Page
import app.groschen.view.Place
import app.groschen.view.PillState
import app.groschen.view.Registering
import app.groschen.view.Theme
import app.groschen.view.ThemeChoice
import app.groschen.view.Touch
import app.groschen.view.View
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import java.util.concurrent.CountDownLatch
import java.util.concurrent.atomic.AtomicInteger
import kotlin.concurrent.thread

/** The real bindings against the real library, on this machine's virtual machine. */
class BindingsTest {
    @get:Rule
    val folder = TemporaryFolder()

    private fun phone() = TestPhone(folder.newFolder())

    @Test
    fun `a new device asks for a registration code and does not take anything else for one`() = phone().use { phone ->
        val page = phone.watcher.await("the page of registration") { it.page is Page.Register }.page as Page.Register
        assertEquals(Registering.Scan, page.v1.state)
        phone.terminal.touch(Touch.Scanned("https://example.org/"))
        phone.watcher.await("the refusal of a foreign code") { (it.page as? Page.Register)?.v1?.state == Registering.NotACode }
        Unit
    }

    @Test
    fun `what the device says of itself is in the view`() = phone().use { phone ->
        phone.terminal.device(goodDevice().copy(battery = 7, dark = true, hot = true))
        val frame = phone.watcher.await("the night") { it.frame.theme == Theme.NIGHT }.frame
        assertEquals(listOf(Alarm.Hot, Alarm.Battery(7)), frame.alarms)
        assertTrue(frame.calm)
        phone.terminal.touch(Touch.Look(ThemeChoice.DAY))
        phone.watcher.await("the day") { it.frame.theme == Theme.DAY }
        phone.terminal.touch(Touch.Speak(Language.ENGLISH))
        phone.watcher.await("English") { it.frame.language == Language.ENGLISH }
        assertEquals(PillState.OFFLINE, phone.terminal.view().frame.pill.state)
    }

    @Test
    fun `pages that need nobody can be opened before anybody is logged in and nothing else can`() = phone().use { phone ->
        phone.watcher.await("the page of registration") { it.page is Page.Register }
        phone.terminal.touch(Touch.Open(Place.SALE))
        phone.terminal.touch(Touch.TestSound)
        assertTrue(phone.terminal.view().page is Page.Register)
        assertTrue(phone.effects.heard.contains(Signal.TEST))
    }

    @Test
    fun `a display that throws stops neither the terminal nor another display`() = phone().use { phone ->
        val broken = phone.terminal.watch(object : Display {
            override fun show(view: View) = throw IllegalStateException("the window is gone")
        })
        phone.terminal.touch(Touch.Speak(Language.ENGLISH))
        phone.watcher.await("English") { it.frame.language == Language.ENGLISH }
        assertTrue(broken.isActive())
        broken.destroy()
    }

    @Test
    fun `who cancelled is shown nothing more`() = phone().use { phone ->
        val other = Watcher()
        val subscription = phone.terminal.watch(other)
        other.await("the first view") { true }
        subscription.cancel()
        assertFalse(subscription.isActive())
        val count = other.count
        phone.terminal.touch(Touch.Speak(Language.ENGLISH))
        phone.watcher.await("English") { it.frame.language == Language.ENGLISH }
        assertEquals(count, other.count)
        subscription.destroy()
    }

    @Test
    fun `a Keystore that throws is a reason and no crash`() {
        loadCore()
        val keystore = SoftwareKeystore().apply { isBroken = true }
        val setup = Setup(folder.newFolder().path, "test", "Testgerät", Language.GERMAN)
        val error = assertThrows(OpenException.Key::class.java) { Terminal.open(setup, keystore, MachineClock, HeardEffects()) }
        assertTrue(error.message, error.message.contains("daemon died"))
    }

    @Test
    fun `a folder that cannot be used is a reason and no crash`() {
        loadCore()
        val file = folder.newFile()
        val setup = Setup(file.path, "test", "Testgerät", Language.GERMAN)
        assertThrows(OpenException.Device::class.java) { Terminal.open(setup, SoftwareKeystore(), MachineClock, HeardEffects()) }
        val other = folder.newFolder()
        other.resolve("queue.db").writeText("this is no database, and was not made by the app")
        assertThrows(OpenException.Queue::class.java) {
            Terminal.open(Setup(other.path, "test", "Testgerät", Language.GERMAN), SoftwareKeystore(), MachineClock, HeardEffects())
        }
    }

    @Test
    fun `a closed terminal says that it has ended`() {
        val phone = phone()
        phone.terminal.end()
        assertThrows(TouchException.Ended::class.java) {
            repeat(200) {
                phone.terminal.touch(Touch.TryNow)
                Thread.sleep(5)
            }
        }
        phone.close()
    }

    @Test
    fun `a field that throws leaves the terminal whole`() = phone().use { phone ->
        val calls = AtomicInteger()
        val broken = object : NfcLink {
            override fun transceive(frame: ByteArray): ByteArray {
                calls.incrementAndGet()
                throw SecurityException("Permission Denial: Tag is out of date")
            }

            override fun reselect(): Selected = throw NfcException.Gone()
        }
        thread { phone.terminal.hold(broken, selected()) }.join(10_000)
        phone.terminal.left()
        assertTrue("nothing was sent to the field", calls.get() > 0)
        phone.terminal.touch(Touch.Speak(Language.ENGLISH))
        phone.watcher.await("English") { it.frame.language == Language.ENGLISH }
        Unit
    }

    @Test
    fun `what is no chip is no chip`() = phone().use { phone ->
        val outcome = phone.terminal.hold(Link(band("04010203040506")), selected().copy(atqa = byteArrayOf(1)))
        phone.terminal.left()
        assertTrue(outcome == HoldOutcome.ANSWERED || outcome == HoldOutcome.LATE)
    }

    @Test
    fun `keys are taken from a sealed file with its passphrase and from nothing else`() = phone().use { phone ->
        assertThrows(KeysException.NotForATill::class.java) { phone.terminal.takeKeys(ByteArray(300), "words") }
        assertThrows(KeysException.NotForATill::class.java) { phone.terminal.takeKeys(ByteArray(0), "") }
        Unit
    }

    @Test
    fun `the log comes to Kotlin and a log that throws is not asked twice for the same line`() = phone().use { phone ->
        val lines = AtomicInteger()
        logTo(object : LogSink {
            override fun line(level: LogLevel, target: String, text: String) {
                lines.incrementAndGet()
                throw IllegalStateException("the log is full")
            }
        }, LogLevel.DEBUG)
        // Nobody can be reached at this address, and the terminal says so in its log.
        val broken = object : NfcLink {
            override fun transceive(frame: ByteArray): ByteArray = throw NfcException.Gone()
            override fun reselect(): Selected = throw NfcException.Gone()
        }
        phone.terminal.hold(broken, selected())
        phone.terminal.left()
        assertTrue("no line was logged", lines.get() > 0)
    }

    @Test
    fun `a virtual wristband says what it is and what it cannot be`() {
        loadCore()
        assertThrows(NoSuchChip.Id::class.java) { SimulatedBand.identity(byteArrayOf(1)) }
        val band = SimulatedBand.purse(7u, 3u)
        assertTrue(band.isSimulated())
        assertEquals(7, band.lay().uid.size)
        band.leaveAfter(1u)
        assertEquals(8, band.transceive(byteArrayOf(0x60)).size)
        assertThrows(NfcException.Silent::class.java) { band.transceive(byteArrayOf(0x60)) }
        assertThrows(NfcException.Gone::class.java) { band.transceive(byteArrayOf(0x60)) }
        assertTrue(band.frames() >= 1)
    }

    @Test
    fun `many threads may touch and look at once`() = phone().use { phone ->
        val start = CountDownLatch(1)
        val threads = List(8) { number ->
            thread {
                start.await()
                repeat(200) { round ->
                    try {
                        phone.terminal.touch(Touch.Speak(if ((number + round) % 2 == 0) Language.GERMAN else Language.ENGLISH))
                    } catch (_: TouchException.Busy) {
                        Thread.yield()
                    }
                    phone.terminal.view()
                }
            }
        }
        start.countDown()
        threads.forEach { it.join(60_000) }
        assertTrue(threads.none { it.isAlive })
        phone.terminal.touch(Touch.Speak(Language.ENGLISH))
        assertEquals(Language.ENGLISH, phone.terminal.view().frame.language)
    }

    private fun selected() = Selected(byteArrayOf(4, 1, 2, 3, 4, 5, 6), byteArrayOf(0x44, 0), 0, null)
}
