package app.groschen.till.keys

import java.math.BigInteger
import java.security.interfaces.ECPublicKey

/** Between Java's encodings of P-256 keys and signatures and the ones on our wire. */
internal object EcdsaEncoding {
    private const val COORDINATE_BYTES = 32
    private const val UNCOMPRESSED: Byte = 4
    private const val SEQUENCE: Byte = 0x30
    private const val INTEGER: Byte = 0x02

    /** SEC 1, uncompressed: 65 bytes. */
    fun publicKey(key: ECPublicKey): ByteArray =
        byteArrayOf(UNCOMPRESSED) + fixed(key.w.affineX.toByteArray()) + fixed(key.w.affineY.toByteArray())

    /** The `r || s` of 64 bytes in a DER signature: SEQUENCE { INTEGER r, INTEGER s }. */
    fun rawSignature(der: ByteArray): ByteArray {
        // A P-256 signature has at most 72 bytes, so each length is one byte.
        require(der.size in 8..72 && der[0] == SEQUENCE && der[1].toInt() == der.size - 2) { "no DER signature" }
        val (r, next) = integer(der, 2)
        val (s, end) = integer(der, next)
        require(end == der.size) { "bytes after the signature" }
        return fixed(r) + fixed(s)
    }

    private fun integer(der: ByteArray, at: Int): Pair<ByteArray, Int> {
        require(at + 2 <= der.size && der[at] == INTEGER) { "no integer in the signature" }
        val end = at + 2 + der[at + 1]
        require(der[at + 1] > 0 && end <= der.size) { "an integer longer than the signature" }
        return der.copyOfRange(at + 2, end) to end
    }

    // Java's integers have a sign byte where the first bit is set, and no leading zeros otherwise.
    private fun fixed(bytes: ByteArray): ByteArray {
        val value = BigInteger(bytes)
        require(value.signum() >= 0 && value.bitLength() <= COORDINATE_BYTES * 8) { "not a number of 256 bits" }
        val digits = value.toByteArray().let { if (it.size > COORDINATE_BYTES) it.copyOfRange(1, it.size) else it }
        return ByteArray(COORDINATE_BYTES - digits.size) + digits
    }
}
