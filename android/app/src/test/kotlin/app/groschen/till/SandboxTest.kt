package app.groschen.till

import android.app.Activity
import com.sun.jna.Native
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotSame
import org.junit.Assert.assertSame
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config

@RunWith(GroschenRunner::class)
@Config(sdk = [35])
class SandboxTest {
    @Test
    fun `native code is reached inside the sandbox through the class loader of plain tests`() {
        assertEquals(ProcessHandle.current().pid(), pidByNativeCode())
        assertSame(ClassLoader.getSystemClassLoader(), Native::class.java.classLoader)
        assertNotSame(ClassLoader.getSystemClassLoader(), Activity::class.java.classLoader)
    }

    @Test
    @Config(qualifiers = "en")
    fun `texts are English for whom there is no translation`() {
        assertEquals("Starting …", RuntimeEnvironment.getApplication().getString(R.string.starting))
    }

    @Test
    @Config(qualifiers = "de")
    fun `texts are German on a German phone`() {
        assertEquals("Startet …", RuntimeEnvironment.getApplication().getString(R.string.starting))
    }

    @Test
    fun `night has colours of its own`() {
        val day = RuntimeEnvironment.getApplication().getColor(R.color.ground)
        RuntimeEnvironment.setQualifiers("+night")
        val night = RuntimeEnvironment.getApplication().getColor(R.color.ground)
        assertEquals(0xFFFFFFFF.toInt(), day)
        assertEquals(0xFF101214.toInt(), night)
    }
}
