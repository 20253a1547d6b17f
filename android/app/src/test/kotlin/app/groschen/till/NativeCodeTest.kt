package app.groschen.till

import org.junit.Assert.assertEquals
import org.junit.Test

class NativeCodeTest {
    @Test
    fun `native code is reached on a plain virtual machine`() {
        assertEquals(ProcessHandle.current().pid(), pidByNativeCode())
    }
}
