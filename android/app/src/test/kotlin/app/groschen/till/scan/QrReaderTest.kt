package app.groschen.till.scan

import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Test

class QrReaderTest {
    private val code = Frame(Frame.REGISTRATION)
    private val part = Frame(Frame.part(1), size = 0.8)

    private fun assertRead(vararg frames: Frame) {
        val missed = frames.filter { QrReader.read(it.take()) != it.text }
        assertEquals(emptyList<Frame>(), missed.map { it.copy(text = it.text?.take(12)) })
    }

    @Test
    fun `a code is read near and far, from small and large cameras`() = assertRead(
        code.copy(width = 1280, height = 720, size = 0.35), code, code.copy(size = 0.95), code.copy(width = 640, height = 480), code.copy(width = 1920, height = 1080, size = 0.3),
        code.copy(off = 0.3), code.copy(off = -0.3),
    )

    @Test
    fun `a code is read whichever way up the phones are held`() =
        assertRead(*listOf(90.0, 180.0, 270.0, 7.0, -20.0, 45.0, 133.0).map { code.copy(width = 1280, height = 720, degrees = it) }.toTypedArray())

    @Test
    fun `a code is read in the dark with noise, out of focus and with a lamp on the glass`() = assertRead(
        code.copy(noise = 25.0), code.copy(black = 20, white = 70, noise = 6.0), code.copy(blur = 1), code.copy(blur = 2, size = 0.8), code.copy(glare = 120),
        part.copy(noise = 15.0), part.copy(blur = 1), part.copy(degrees = 8.0, noise = 10.0),
    )

    @Test
    fun `rows may be longer than the picture, and the last one may end with it`() = assertRead(
        code.copy(padding = 64), code.copy(padding = 1), code.copy(padding = 64, endsShort = true), part.copy(padding = 32, endsShort = true),
    )

    @Test
    fun `parts of a series are read to the letter`() = assertRead(*(2..9).map { part.copy(text = Frame.part(it)) }.toTypedArray())

    @Test
    fun `a picture without a code reads nothing, however noisy`() {
        for (noise in listOf(0.0, 10.0, 60.0)) assertNull(QrReader.read(Frame(null, noise = noise).take()))
    }

    @Test
    fun `half a code reads nothing`() {
        assertNull(QrReader.read(code.copy(off = 0.85).take()))
    }

    @Test
    fun `a picture that is no picture reads nothing`() {
        val bytes = ByteArray(100)
        for (no in listOf(Luminance(bytes, 0, 0, 0), Luminance(bytes, 20, 20, 20), Luminance(bytes, 20, 5, 10), Luminance(bytes, -1, 5, 10))) {
            assertNull(QrReader.read(no))
        }
        assertNull(QrReader.read(Luminance(bytes, 10, 10, 10)))
        assertNull(QrReader.read(Luminance(ByteArray(1), 1, 1, 1)))
    }
}
