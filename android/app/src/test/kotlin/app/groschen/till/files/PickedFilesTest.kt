package app.groschen.till.files

import android.Manifest
import android.app.Activity
import android.content.Intent
import android.net.Uri
import android.widget.EditText
import app.groschen.bindings.Festival
import app.groschen.bindings.Sample
import app.groschen.till.GroschenRunner
import app.groschen.till.R
import app.groschen.till.Shell
import app.groschen.till.TillActivity
import app.groschen.till.TillApplication
import app.groschen.till.all
import app.groschen.till.await
import app.groschen.till.nfc.ShadowField
import app.groschen.till.press
import app.groschen.till.says
import app.groschen.till.scan.FakeCamera
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowLooper
import java.io.ByteArrayInputStream

/** A registered phone on the page that takes another one's bookings: picker and camera before the window, the real core behind it. */
@RunWith(GroschenRunner::class)
@Config(sdk = [35], qualifiers = "de", application = TillApplication::class, shadows = [ShadowField::class])
class PickedFilesTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val shell = Shell()
    private val app = shell.app
    private val camera = FakeCamera()
    private lateinit var festival: Festival
    private lateinit var window: ActivityController<TillActivity>

    @Before
    fun `a phone that takes`() {
        festival = Festival(folder.root, listOf(Sample.BAR))
        app.cameraOf = { camera }
        shell.begin()
        window = shell.start()
        await(R.string.register_code)
        activity.all().filterIsInstance<EditText>().single().setText(festival.code(Sample.BAR))
        press(R.string.register_go)
        await(R.string.login_title)
        activity.all().first { it.id == R.id.pill }.performClick()
        await(R.string.evacuate)
        press(R.string.evacuate)
        await(R.string.evacuate_take)
        press(R.string.evacuate_take)
        await(R.string.file_take)
    }

    @After
    fun end() {
        window.destroy()
        shell.end()
        festival.close()
    }

    private val activity: Activity get() = window.get()

    private fun await(id: Int) = activity.await(id)

    private fun says(id: Int) = activity.says(id)

    private fun press(id: Int) = activity.press(id)

    /** Presses the button, and answers in the picker's place. */
    private fun pick(result: Int, place: Uri?) {
        press(R.string.file_take)
        val asked = shadowOf(activity).nextStartedActivityForResult.intent
        assertEquals(Intent.ACTION_OPEN_DOCUMENT, asked.action)
        shadowOf(activity).receiveResult(asked, result, place?.let { Intent().setData(it) })
    }

    @Test
    fun `a file that is none of a till is refused by the core, and the page goes on`() {
        val place = Uri.parse("content://stick/holiday.jpg")
        shadowOf(app.contentResolver).registerInputStream(place, ByteArrayInputStream(ByteArray(5_000) { it.toByte() }))
        pick(Activity.RESULT_OK, place)
        await(R.string.refusal_no_copy)
        press(R.string.go_on)
        await("the page behind it") { !says(R.string.refusal_no_copy) && says(R.string.file_take) }
    }

    @Test
    fun `a picker that is left, and a file that cannot be read, are said on the page until it is left`() {
        pick(Activity.RESULT_CANCELED, null)
        await(R.string.file_left)
        pick(Activity.RESULT_OK, Uri.parse("content://stick/gone"))
        await(R.string.file_unreadable)
        press(R.string.cancel)
        await(R.string.sync_title)
        press(R.string.evacuate)
        await(R.string.evacuate_take)
        assertFalse(says(R.string.file_unreadable))
    }

    @Test
    fun `a phone with nothing to pick files with says what else there is`() {
        shadowOf(app).checkActivities(true)
        press(R.string.file_take)
        await(R.string.file_no_picker)
    }

    @Test
    fun `a window that is made anew behind the picker still gets the file`() {
        press(R.string.file_take)
        val asked = shadowOf(activity).nextStartedActivityForResult
        window.recreate()
        await(R.string.file_running)
        val place = Uri.parse("content://stick/other")
        shadowOf(app.contentResolver).registerInputStream(place, ByteArrayInputStream(ByteArray(50)))
        // As Android does it: to the new window, by the old one's number.
        val answer = Activity::class.java.getDeclaredMethod("onActivityResult", Int::class.java, Int::class.java, Intent::class.java)
        answer.isAccessible = true
        answer.invoke(activity, asked.requestCode, Activity.RESULT_OK, Intent().setData(place))
        await(R.string.refusal_no_copy)
    }

    @Test
    fun `codes are scanned from this page, and leaving it closes the camera`() {
        shadowOf(app).grantPermissions(Manifest.permission.CAMERA)
        press(R.string.scan_codes)
        assertTrue(camera.isOpen)
        assertTrue(says(R.string.evacuate_first))
        camera.watcher?.read("a poster on the wall")
        ShadowLooper.idleMainLooper()
        assertTrue("what is no code of the series changes nothing", camera.isOpen && says(R.string.evacuate_first))
        activity.all().first { it.id == R.id.pill }.performClick()
        await("the camera to be closed") { !camera.isOpen }
        await(R.string.sync_title)
    }
}
