package app.groschen.till.scan

import app.groschen.till.screens.Samples
import app.groschen.view.EvacuationPage
import app.groschen.view.Notice
import app.groschen.view.Page
import app.groschen.view.Refusal
import app.groschen.view.RegisterPage
import app.groschen.view.Registering
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test

class ScannerTest {
    private val camera = FakeCamera()
    private val taken = ArrayList<String>()
    private var isBusy = false

    private val permission = object : CameraPermission {
        override var isGranted = true
        var asked = 0

        override fun ask() {
            asked++
        }
    }
    private val scanner: Scanner = Scanner(camera, permission, { it() }, { text -> !isBusy && taken.add(text) }, {})

    private fun shows(page: Page, notice: Notice = Notice.None) = scanner.follow(Samples.view(page, notice))

    private fun register(state: Registering = Registering.Scan) = Page.Register(RegisterPage(state, null))

    private fun taking(have: Int, count: Int) = Page.Evacuation(EvacuationPage.Taking(have, count, emptyList()))

    @Test
    fun `a code that stays in the picture goes to the core once`() {
        shows(register())
        scanner.begin()
        camera.sees(Frame(Frame.REGISTRATION), pictures = 30)
        assertEquals(listOf(Frame.REGISTRATION), taken)
        assertEquals(Scan.On(light = false, read = 1), scanner.state)
    }

    @Test
    fun `a code that the core is too busy for goes to it again`() {
        shows(register())
        scanner.begin()
        isBusy = true
        camera.watcher?.read("GROSCHEN:1:00")
        assertEquals(emptyList<String>(), taken)
        isBusy = false
        camera.watcher?.read("GROSCHEN:1:00")
        assertEquals(listOf("GROSCHEN:1:00"), taken)
    }

    @Test
    fun `the camera is open until the core has taken the code, over codes that are none`() {
        shows(register())
        scanner.begin()
        camera.watcher?.read("https://example.org/")
        shows(register(Registering.NotACode))
        assertTrue(camera.isOpen)
        camera.watcher?.read("GROSCHEN:1:00")
        shows(register(Registering.Asking))
        assertFalse(camera.isOpen)
        assertEquals(Scan.Off, scanner.state)
        assertEquals(listOf("https://example.org/", "GROSCHEN:1:00"), taken)
    }

    @Test
    fun `a series is scanned until the core has all of it, and the next one after that`() {
        shows(taking(0, 0))
        scanner.begin()
        listOf("one", "two", "one", "three").forEach { camera.watcher?.read(it) }
        shows(taking(2, 3))
        assertTrue(camera.isOpen)
        shows(taking(3, 3))
        assertFalse(camera.isOpen)
        assertEquals(listOf("one", "two", "three"), taken)

        scanner.begin()
        shows(taking(3, 3))
        assertTrue("what was complete before is no end", camera.isOpen)
        shows(taking(1, 2))
        shows(taking(2, 2))
        assertFalse(camera.isOpen)
    }

    @Test
    fun `whatever lies over the page closes the camera, a wristband that is read does not`() {
        shows(taking(1, 3))
        scanner.begin()
        shows(taking(1, 3), Notice.Reading)
        assertTrue(camera.isOpen)
        shows(taking(1, 3), Notice.Refused(Refusal.NotOurs))
        assertFalse(camera.isOpen)
    }

    @Test
    fun `another page closes the camera and forgets why it could not be opened`() {
        shows(taking(1, 3))
        scanner.begin()
        shows(Page.Guide)
        assertFalse(camera.isOpen)
        camera.exists = false
        shows(taking(1, 3))
        scanner.begin()
        assertEquals(Scan.Not(NoScan.MISSING), scanner.state)
        shows(taking(2, 3))
        assertEquals(Scan.Not(NoScan.MISSING), scanner.state)
        shows(Page.Guide)
        assertEquals(Scan.Off, scanner.state)
    }

    @Test
    fun `the permission is asked for by a touch, and a refusal is said`() {
        permission.isGranted = false
        shows(register())
        assertEquals(0, permission.asked)
        scanner.begin()
        assertEquals(1, permission.asked)
        assertEquals(0, camera.opened)
        scanner.answered(isGranted = false, mayAskAgain = true)
        assertEquals(Scan.Not(NoScan.REFUSED), scanner.state)
        scanner.begin()
        scanner.answered(isGranted = false, mayAskAgain = false)
        assertEquals(Scan.Not(NoScan.BARRED), scanner.state)
        scanner.begin()
        scanner.answered(isGranted = true, mayAskAgain = false)
        assertTrue(camera.isOpen)
    }

    @Test
    fun `an answer that comes when the page is left opens nothing`() {
        permission.isGranted = false
        shows(register())
        scanner.begin()
        shows(Page.Guide)
        scanner.answered(isGranted = true, mayAskAgain = true)
        assertFalse(camera.isOpen)
    }

    @Test
    fun `what a camera says after it was closed changes nothing`() {
        shows(register())
        scanner.begin()
        val late = camera.watcher
        scanner.stop()
        late?.read("GROSCHEN:1:00")
        late?.failed()
        assertEquals(emptyList<String>(), taken)
        assertEquals(Scan.Off, scanner.state)
        scanner.begin()
        late?.failed()
        assertTrue(camera.isOpen)
    }

    @Test
    fun `a camera that another app takes away is closed and said`() {
        shows(register())
        scanner.begin()
        camera.watcher?.failed()
        assertFalse(camera.isOpen)
        assertEquals(Scan.Not(NoScan.FAILED), scanner.state)
    }

    @Test
    fun `the lamp is where there is one, and goes out with the camera`() {
        shows(register())
        scanner.begin()
        scanner.light()
        assertTrue(camera.lit)
        assertEquals(Scan.On(light = true), scanner.state)
        scanner.light()
        assertFalse(camera.lit)
        scanner.stop()
        camera.hasLight = false
        scanner.begin()
        scanner.light()
        assertFalse(camera.lit)
        assertEquals(Scan.On(light = null), scanner.state)
    }
}
