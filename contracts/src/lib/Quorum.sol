// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Validator sets and their signatures.
/// @notice A set is a list of words, address << 96 | power, in strictly ascending order of address; the contract holds its hash.
/// @dev OpenZeppelin's ECDSA checks the same (low s, no zero address) one signature at a time, for 200 gas more each; with 67 of
/// them the loop is worth its assembly.
library Quorum {
    /// @notice The most members a set may have: the bitmap is one word.
    uint256 internal constant MAX_MEMBERS = 256;

    /// @dev Half of secp256k1's order: a larger s is the second form of a signature.
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// @notice Returns Keccak-256 of the members' words.
    function hash(bytes32[] calldata members) internal pure returns (bytes32 h) {
        assembly ("memory-safe") {
            let m := mload(0x40)
            let size := shl(5, members.length)
            calldatacopy(m, members.offset, size)
            h := keccak256(m, size)
        }
    }

    /// @notice Counts the bits that are set.
    function ones(uint256 x) internal pure returns (uint256) {
        unchecked {
            x = x - ((x >> 1) & 0x5555555555555555555555555555555555555555555555555555555555555555);
            x = (x & 0x3333333333333333333333333333333333333333333333333333333333333333)
                + ((x >> 2) & 0x3333333333333333333333333333333333333333333333333333333333333333);
            x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f;
            // 32 bytes of at most 8 each; 256 would not fit the top byte, so two are added first.
            x = (x + (x >> 8)) & 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff;
            return (x * 0x0001000100010001000100010001000100010001000100010001000100010001) >> 240;
        }
    }

    /// @notice Goes through the set once: adds up what it and its signers hold, and checks each signature.
    /// @dev Stops at a bad signature; the sums are then not complete.
    /// @param digest What was signed.
    /// @param members The set.
    /// @param bitmap Bit i for a signature of member i; no bit beyond the set.
    /// @param sigs 64 bytes (EIP-2098) for each bit, in the set's order; the caller has checked the length.
    /// @return ordered That the addresses strictly ascend from above 0: nobody is there twice, and the zero address, which ecrecover
    /// gives for a bad signature, is not there.
    /// @return bad The place of the first member whose signature is not his, or members.length.
    /// @return got The power of the signers.
    /// @return total The power of all: 256 powers below 2^96 do not overflow.
    function verify(bytes32 digest, bytes32[] calldata members, uint256 bitmap, bytes calldata sigs)
        internal
        view
        returns (bool ordered, uint256 bad, uint256 got, uint256 total)
    {
        assembly ("memory-safe") {
            let low := 0xffffffffffffffffffffffff // the 96 bits of a power
            let last := low
            ordered := 1
            let m := mload(0x40)
            mstore(m, digest)
            let sig := sigs.offset
            let p := members.offset
            let end := add(p, shl(5, members.length))
            for {} lt(p, end) { p := add(p, 0x20) } {
                let member := calldataload(p)
                ordered := and(ordered, gt(member, last))
                last := or(member, low)
                total := add(total, and(member, low))
                if and(bitmap, 1) {
                    let vs := calldataload(add(sig, 0x20))
                    let s := and(vs, 0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff)
                    mstore(add(m, 0x20), add(shr(255, vs), 27))
                    mstore(add(m, 0x40), calldataload(sig))
                    mstore(add(m, 0x60), s)
                    // A failed call or a bad signature leaves this zero, which no member is.
                    mstore(0, 0)
                    pop(staticcall(gas(), 1, m, 0x80, 0, 0x20))
                    if or(gt(s, HALF_ORDER), xor(mload(0), shr(96, member))) { break }
                    got := add(got, and(member, low))
                    sig := add(sig, 0x40)
                }
                bitmap := shr(1, bitmap)
            }
            bad := shr(5, sub(p, members.offset))
        }
    }
}
