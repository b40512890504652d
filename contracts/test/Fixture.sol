// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ReceiptAnchor} from "../src/ReceiptAnchor.sol";
import {Vm} from "./Vm.sol";

/// @title What the tests share: keys, signatures and a log with its proofs.
abstract contract Fixture {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    bytes32 internal constant ORIGIN = keccak256("origin of the tests");
    uint64 internal constant START = 1_800_000_000;
    uint32 internal constant TRUSTING = 14 days;
    address internal constant GUARDIAN = address(0x6a7d);

    /// @dev A set: words and keys in ascending order of address.
    struct Set {
        uint256[] keys;
        bytes32[] words;
        bytes32 hash;
    }

    /// @dev The arguments of submit.
    struct Submission {
        ReceiptAnchor.Anchor a;
        bytes32[] members;
        uint256 bitmap;
        bytes sigs;
        bytes32[] consistency;
    }

    /// @dev The leaf hashes of the log of these tests.
    bytes32[] internal leaves;
    ReceiptAnchor internal ra;

    /// @dev A set of n members; the member made i-th has power powers[i], or 100 where powers is shorter.
    function makeSet(bytes memory seed, uint256 n, uint64[] memory powers) internal pure returns (Set memory set) {
        set.keys = new uint256[](n);
        set.words = new bytes32[](n);
        for (uint256 i = 0; i < n; i++) {
            uint256 key = uint256(keccak256(abi.encode(seed, i))) >> 1;
            uint256 power = i < powers.length ? powers[i] : 100;
            bytes32 word = bytes32(uint256(uint160(vm.addr(key))) << 96 | power);
            uint256 place = i;
            for (; place > 0 && set.words[place - 1] > word; place--) {
                (set.words[place], set.keys[place]) = (set.words[place - 1], set.keys[place - 1]);
            }
            (set.words[place], set.keys[place]) = (word, key);
        }
        set.hash = keccak256(abi.encodePacked(set.words));
    }

    function equalSet(bytes memory seed, uint256 n) internal pure returns (Set memory) {
        return makeSet(seed, n, new uint64[](0));
    }

    function deploy(Set memory set, address guardian) internal returns (ReceiptAnchor) {
        vm.warp(START);
        return new ReceiptAnchor(ORIGIN, set.hash, START, TRUSTING, guardian);
    }

    /// @dev The anchor after head: this nonce, the log of size leaves, the set stays.
    function anchorOf(uint64 nonce, uint64 size, Set memory set) internal view returns (ReceiptAnchor.Anchor memory) {
        return ReceiptAnchor.Anchor({
            nonce: nonce, height: nonce * 600, time: uint64(block.timestamp), treeSize: size, root: rootOf(size), nextValset: set.hash
        });
    }

    function bits(uint256 n) internal pure returns (uint256) {
        return n >= 256 ? type(uint256).max : (1 << n) - 1;
    }

    /// @dev The lowest members of the set sign, in the 64-byte form of EIP-2098.
    function signed(ReceiptAnchor.Anchor memory a, Set memory set, uint256 bitmap) internal view returns (Submission memory s) {
        s.a = a;
        s.members = set.words;
        s.bitmap = bitmap;
        bytes32 digest = ra.digest(a);
        for (uint256 i = 0; i < set.keys.length; i++) {
            if (bitmap >> i & 1 == 0) continue;
            s.sigs = abi.encodePacked(s.sigs, compact(set.keys[i], digest));
        }
        (, uint64 from,,,) = ra.head();
        s.consistency = consistencyOf(from, a.treeSize);
    }

    function compact(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, bytes32(uint256(s) | uint256(v - 27) << 255));
    }

    function submit(Submission memory s) internal {
        ra.submit(s.a, s.members, s.bitmap, s.sigs, s.consistency);
    }

    function refuse(Submission memory s, bytes memory reason) internal {
        vm.expectRevert(reason);
        submit(s);
    }

    function refuse(Submission memory s, bytes4 reason) internal {
        refuse(s, abi.encodePacked(reason));
    }

    function freeze(Submission memory a, Submission memory b) internal {
        ra.freeze(a.a, a.members, a.bitmap, a.sigs, b.a, b.members, b.bitmap, b.sigs);
    }

    function grow(uint256 n) internal {
        for (uint256 i = 0; i < n; i++) {
            leaves.push(sha256(abi.encodePacked(hex"00", "leaf", leaves.length)));
        }
    }

    // The definitions of RFC 9162 2.1, word by word, as the oracle for the library.

    function rootOf(uint256 size) internal view returns (bytes32) {
        return size == 0 ? sha256("") : subtree(0, size);
    }

    function split(uint256 n) internal pure returns (uint256 k) {
        for (k = 1; k * 2 < n; k *= 2) {}
    }

    function subtree(uint256 start, uint256 n) internal view returns (bytes32) {
        if (n == 1) return leaves[start];
        uint256 k = split(n);
        return sha256(abi.encodePacked(hex"01", subtree(start, k), subtree(start + k, n - k)));
    }

    function push(bytes32[] memory list, bytes32 last) internal pure returns (bytes32[] memory longer) {
        longer = new bytes32[](list.length + 1);
        for (uint256 i = 0; i < list.length; i++) {
            longer[i] = list[i];
        }
        longer[list.length] = last;
    }

    function pathOf(uint256 index, uint256 start, uint256 n) internal view returns (bytes32[] memory) {
        if (n == 1) return new bytes32[](0);
        uint256 k = split(n);
        if (index < k) return push(pathOf(index, start, k), subtree(start + k, n - k));
        return push(pathOf(index - k, start + k, n - k), subtree(start, k));
    }

    function consistencyOf(uint256 from, uint256 to) internal view returns (bytes32[] memory) {
        if (from == 0 || from >= to) return new bytes32[](0);
        return subproof(from, 0, to, true);
    }

    function subproof(uint256 m, uint256 start, uint256 n, bool known) internal view returns (bytes32[] memory) {
        if (m == n) return known ? new bytes32[](0) : push(new bytes32[](0), subtree(start, n));
        uint256 k = split(n);
        if (m <= k) return push(subproof(m, start, k, known), subtree(start + k, n - k));
        return push(subproof(m - k, start + k, n - k, false), subtree(start, k));
    }
}
