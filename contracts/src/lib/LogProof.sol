// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title Proofs of the append-only log: RFC 9162, SHA-256.
/// @notice The same rules as the Go package domain/log: sizes and the exact number of hashes are checked before any hash is made, so
/// a proof has one form only, and the cost of a call is known from its arguments' lengths.
/// @dev OpenZeppelin's MerkleProof does not fit: it knows neither index nor size, so it can not tell where in the log a leaf stands.
library LogProof {
    /// @notice The root of the log without leaves: SHA-256 of nothing.
    bytes32 internal constant EMPTY_ROOT = 0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855;

    /// @notice Says whether leafHash stands at index of the log with this size and root.
    /// @param root The root of the log.
    /// @param size The number of its leaves, 1 to 2^64 - 1.
    /// @param index The leaf's place, from 0.
    /// @param leafHash SHA-256 of 0x00 and the leaf's data.
    /// @param path The siblings from the leaf upwards.
    function verifyInclusion(bytes32 root, uint64 size, uint256 index, bytes32 leafHash, bytes32[] calldata path)
        internal
        view
        returns (bool)
    {
        if (index >= size) return false;
        unchecked {
            uint256 inner = _bitLength(index ^ (size - 1));
            if (path.length != inner + _ones(index >> inner)) return false;
            return _climb(leafHash, _sides(index, inner), path) == root;
        }
    }

    /// @notice Says whether the log of size to continues the log of size from.
    /// @param rootFrom The root of the smaller log.
    /// @param rootTo The root of the larger log.
    /// @param from The smaller size, above 0 and below to.
    /// @param to The larger size.
    /// @param path The hashes of RFC 9162 2.1.4.
    /// @return sized That path has as many hashes as the sizes ask for.
    /// @return linked That it leads to both roots.
    function verifyConsistency(bytes32 rootFrom, bytes32 rootTo, uint64 from, uint64 to, bytes32[] calldata path)
        internal
        view
        returns (bool sized, bool linked)
    {
        unchecked {
            uint256 last = from - 1;
            // The proof starts at the last full subtree of the smaller log, which is below both roots. If it is the whole smaller log
            // its root is known, else it is the first hash.
            uint256 shift = Math.log2(from & (0 - from));
            uint256 inner = _bitLength(last ^ (to - 1));
            uint256 steps = inner - shift + _ones(last >> inner);
            uint256 sides = _sides(last, inner) >> shift;
            bytes32 before;
            bytes32 later;
            if (from & last == 0) {
                if (path.length != steps) return (false, false);
                (before, later) = _climbBoth(rootFrom, sides, path);
            } else {
                if (path.length != steps + 1) return (false, false);
                (before, later) = _climbBoth(path[0], sides, path[1:]);
            }
            return (true, before == rootFrom && later == rootTo);
        }
    }

    /// @dev Bit i says that the i-th sibling is on the left: the bits of index for the inner ones, then always.
    function _sides(uint256 index, uint256 inner) private pure returns (uint256) {
        unchecked {
            return index | (type(uint256).max << inner);
        }
    }

    /// @dev Hashes 65 bytes at a time: 0x01 at 0x1f, left at 0x20, right at 0x40. A hash is written to the place where the next one
    /// needs it. The free memory pointer, which is at 0x40, is put back.
    ///
    /// The calls' success is not looked at: SHA-256 of 65 bytes fails only with less than 96 gas to take, and as it may take all but a
    /// 64th, at most one gas is left after that, with which nothing can go on.
    function _climb(bytes32 hash, uint256 sides, bytes32[] calldata path) private view returns (bytes32 root) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(0x00, 1)
            sides := shl(5, sides)
            let side := and(sides, 0x20)
            mstore(add(0x20, side), hash)
            let p := path.offset
            for { let end := add(p, shl(5, path.length)) } lt(p, end) { p := add(p, 0x20) } {
                mstore(sub(0x40, side), calldataload(p))
                sides := shr(1, sides)
                side := and(sides, 0x20)
                pop(staticcall(gas(), 2, 0x1f, 65, add(0x20, side), 0x20))
            }
            root := mload(add(0x20, side))
            mstore(0x40, free)
        }
    }

    /// @dev As _climb for the larger log; the smaller one has only the siblings on the left, and its 65 bytes in free memory.
    function _climbBoth(bytes32 start, uint256 sides, bytes32[] calldata path) private view returns (bytes32 before, bytes32 later) {
        assembly ("memory-safe") {
            // Where the smaller log's hash is: 0x01 and left are before it.
            let small := add(mload(0x40), 0x40)
            mstore(sub(small, 0x40), 1)
            mstore(small, start)
            mstore(0x00, 1)
            sides := shl(5, sides)
            let side := and(sides, 0x20)
            mstore(add(0x20, side), start)
            let p := path.offset
            for { let end := add(p, shl(5, path.length)) } lt(p, end) { p := add(p, 0x20) } {
                let sibling := calldataload(p)
                mstore(sub(0x40, side), sibling)
                if side {
                    mstore(sub(small, 0x20), sibling)
                    pop(staticcall(gas(), 2, sub(small, 0x21), 65, small, 0x20))
                }
                sides := shr(1, sides)
                side := and(sides, 0x20)
                pop(staticcall(gas(), 2, 0x1f, 65, add(0x20, side), 0x20))
            }
            before := mload(small)
            later := mload(add(0x20, side))
            mstore(0x40, sub(small, 0x40))
        }
    }

    function _bitLength(uint256 x) private pure returns (uint256) {
        unchecked {
            return x == 0 ? 0 : Math.log2(x) + 1;
        }
    }

    /// @dev The number of bits set in x, which is below 2^64.
    function _ones(uint256 x) private pure returns (uint256) {
        unchecked {
            x = x - ((x >> 1) & 0x5555555555555555);
            x = (x & 0x3333333333333333) + ((x >> 2) & 0x3333333333333333);
            x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0f;
            return ((x * 0x0101010101010101) >> 56) & 0xff;
        }
    }
}
