package app.groschen.till

import android.content.Intent
import android.net.Uri
import android.nfc.NfcAdapter
import android.view.KeyEvent
import app.groschen.till.keys.FakeAndroidKeyStore
import app.groschen.till.nfc.FakeChip
import app.groschen.till.nfc.ShadowField
import app.groschen.till.nfc.TrueIsoDep
import app.groschen.till.nfc.TrueTechnology
import org.junit.After
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadow.api.Shadow
import org.robolectric.shadows.ShadowLooper

/** The whole shell on the real core of this machine: a phone that was never registered. */
@RunWith(GroschenRunner::class)
@Config(sdk = [35], qualifiers = "de", application = TillApplication::class, shadows = [ShadowField::class, TrueTechnology::class, TrueIsoDep::class])
class TillActivityTest {
    private val shell = Shell()
    private val app = shell.app

    @Before
    fun phone() {
        ShadowField.forget()
        shell.begin()
    }

    @After
    fun end() = shell.end()

    @Test
    fun `a new phone asks for its code, and listens for wristbands while it is in front`() {
        val window = shell.start()
        window.get().await(R.string.register_code)
        val adapter = checkNotNull(NfcAdapter.getDefaultAdapter(app))
        assertTrue(shadowOf(adapter).isInReaderMode)
        window.pause()
        assertFalse(shadowOf(adapter).isInReaderMode)
        window.resume()
        assertTrue(shadowOf(adapter).isInReaderMode)
        window.destroy()
    }

    @Test
    fun `a wristband that is held reaches the core and is let go`() {
        val window = shell.start()
        window.get().await(R.string.register_code)
        val adapter = checkNotNull(NfcAdapter.getDefaultAdapter(app))
        Shadow.extract<ShadowField>(adapter).dispatchTagDiscovered(FakeChip().tag())
        await("the tag's release") { ShadowField.ignored.isNotEmpty() }
        window.destroy()
    }

    @Test
    fun `a code that comes by a link is taken, before and after the core is open`() {
        val wrong = Intent(Intent.ACTION_VIEW, Uri.parse("GROSCHEN:1:NONSENSE"))
        val window = shell.start(wrong)
        window.get().await(R.string.register_no_code)
        window.newIntent(wrong)
        window.get().await(R.string.register_no_code)
        window.destroy()
    }

    @Test
    fun `a window that is made anew shows the same core`() {
        val first = shell.start()
        first.get().await(R.string.register_code)
        first.recreate()
        first.get().await(R.string.register_code)
        first.destroy()
    }

    @Test
    fun `the back key does not leave the till`() {
        val window = shell.start()
        window.get().await(R.string.register_code)
        window.get().dispatchKeyEvent(KeyEvent(KeyEvent.ACTION_DOWN, KeyEvent.KEYCODE_BACK))
        window.get().dispatchKeyEvent(KeyEvent(KeyEvent.ACTION_UP, KeyEvent.KEYCODE_BACK))
        ShadowLooper.idleMainLooper()
        assertFalse(window.get().isFinishing)
        window.destroy()
    }

    @Test
    fun `a phone whose Keystore fails says so, and opens when somebody has unlocked it and comes back`() {
        FakeAndroidKeyStore.broken = true
        app.open()
        val window = shell.start()
        window.get().await(R.string.broken_key)
        FakeAndroidKeyStore.broken = false
        window.pause().resume()
        window.get().await(R.string.register_code)
        window.destroy()
    }

    @Test
    fun `a new phone has nothing to do in the background`() {
        assertFalse(app.backgroundWork.shiftOpen)
        assertTrue(app.backgroundWork.unsent == 0)
        assertTrue(app.backgroundWork.send())
    }
}
