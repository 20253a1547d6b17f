package app.groschen.till.nfc

import android.nfc.INfcTag
import android.nfc.NdefMessage
import android.nfc.Tag
import android.nfc.TransceiveResult
import android.nfc.tech.TagTechnology
import android.os.Bundle

/** The side of Android's NFC service that a tag is spoken to through: the framework's own classes stand above it. */
internal class FakeChip(private val isoDep: Boolean = false, private val uid: ByteArray = UID) : INfcTag.Stub() {
    val calls = mutableListOf<String>()
    @Volatile var present = true
    @Volatile var upToDate = true
    var answer: (ByteArray) -> TransceiveResult = { TransceiveResult(TransceiveResult.RESULT_SUCCESS, it.reversedArray()) }

    fun tag(): Tag {
        val nfcA = Bundle().apply {
            putShort("sak", if (isoDep) 0x20 else 0)
            putByteArray("atqa", byteArrayOf(0x44, 0x00))
        }
        val techs = if (isoDep) intArrayOf(TagTechnology.NFC_A, TagTechnology.ISO_DEP) else intArrayOf(TagTechnology.NFC_A)
        return Tag(uid, techs, if (isoDep) arrayOf(nfcA, Bundle().apply { putByteArray("histbytes", byteArrayOf(0x80.toByte())) }) else arrayOf(nfcA), HANDLE, COOKIE, this)
    }

    private fun call(what: String): Int {
        calls += what
        return if (present) 0 else -1
    }

    override fun connect(handle: Int, technology: Int): Int = call("connect ${if (technology == TagTechnology.ISO_DEP) "IsoDep" else "NfcA"}")
    override fun reconnect(handle: Int): Int = call("reconnect")
    override fun setTimeout(technology: Int, timeout: Int): Int = call("timeout $timeout")

    override fun transceive(handle: Int, data: ByteArray, raw: Boolean): TransceiveResult {
        calls += "transceive ${data.toHex()}"
        return if (present) answer(data) else TransceiveResult(TransceiveResult.RESULT_TAGLOST, null)
    }

    override fun isPresent(handle: Int): Boolean = present
    override fun isTagUpToDate(cookie: Long): Boolean = upToDate
    override fun getTechList(handle: Int): IntArray = intArrayOf(TagTechnology.NFC_A)
    override fun isNdef(handle: Int): Boolean = false
    override fun ndefRead(handle: Int): NdefMessage? = null
    override fun ndefWrite(handle: Int, message: NdefMessage): Int = -1
    override fun ndefMakeReadOnly(handle: Int): Int = -1
    override fun ndefIsWritable(handle: Int): Boolean = false
    override fun formatNdef(handle: Int, key: ByteArray): Int = -1
    override fun rediscover(handle: Int): Tag? = null
    override fun getTimeout(technology: Int): Int = 0
    override fun resetTimeouts() = Unit
    override fun canMakeReadOnly(type: Int): Boolean = false
    override fun getMaxTransceiveLength(technology: Int): Int = 253
    override fun getExtendedLengthApdusSupported(): Boolean = false

    companion object {
        val UID: ByteArray = byteArrayOf(0x04, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77)
        private const val HANDLE = 7
        private const val COOKIE = 11L

        private fun ByteArray.toHex() = joinToString("") { "%02x".format(it) }
    }
}
