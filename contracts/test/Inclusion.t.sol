// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ReceiptAnchor} from "../src/ReceiptAnchor.sol";
import {Fixture} from "./Fixture.sol";
import {LogProofHarness} from "./LogProofHarness.sol";

/// @dev The library against the definitions of RFC 9162, which Fixture writes down word by word.
contract InclusionTest is Fixture {
    LogProofHarness internal proofs;
    Set internal set;

    function setUp() public {
        proofs = new LogProofHarness();
        set = equalSet("set", 1);
        ra = deploy(set, address(0));
        grow(70);
    }

    function included(uint256 size, uint256 index, bytes32 leaf, bytes32[] memory path) internal view returns (bool ok) {
        (ok,) = proofs.inclusion(rootOf(size), uint64(size), index, leaf, path);
    }

    function consistent(uint256 from, uint256 to, bytes32[] memory path) internal view returns (bool ok) {
        (ok,) = proofs.consistency(uint64(from), uint64(to), rootOf(from), rootOf(to), path);
    }

    function resize(bytes32[] memory path, uint256 n) internal pure returns (bytes32[] memory out) {
        out = new bytes32[](n);
        for (uint256 i = 0; i < n && i < path.length; i++) {
            out[i] = path[i];
        }
    }

    function test_everyLeafOfSmallLogs() public view {
        for (uint256 size = 1; size <= 18; size++) {
            for (uint256 i = 0; i < size; i++) {
                assert(included(size, i, leaves[i], pathOf(i, 0, size)));
            }
        }
    }

    function test_everyPairOfSmallLogs() public view {
        for (uint256 to = 1; to <= 18; to++) {
            for (uint256 from = 1; from <= to; from++) {
                assert(consistent(from, to, consistencyOf(from, to)));
            }
        }
    }

    function testFuzz_inclusion(uint8 size_, uint8 index_, uint8 wrong, uint8 place, uint8 bit) public view {
        uint256 size = size_ % 70 + 1;
        uint256 index = index_ % size;
        bytes32[] memory path = pathOf(index, 0, size);
        assert(included(size, index, leaves[index], path));
        uint256 elsewhere = uint256(wrong) % 128;
        assert(elsewhere == index || !included(size, elsewhere, leaves[index], path));
        assert(!included(size, index, leaves[index] ^ bytes32(1 << uint256(bit)), path));
        for (uint256 n = 0; n < 10; n++) {
            assert(n == path.length || !included(size, index, leaves[index], resize(path, n)));
        }
        if (path.length == 0) return;
        path[place % path.length] ^= bytes32(1 << uint256(bit));
        assert(!included(size, index, leaves[index], path));
    }

    function testFuzz_consistency(uint8 from_, uint8 to_, uint8 place, uint8 bit) public view {
        uint256 to = to_ % 70 + 1;
        uint256 from = from_ % to + 1;
        bytes32[] memory path = consistencyOf(from, to);
        assert(consistent(from, to, path));
        assert(from == to || !consistent(to, from, path));
        for (uint256 n = 0; n < 10; n++) {
            assert(n == path.length || !consistent(from, to, resize(path, n)));
        }
        if (path.length == 0) return;
        path[place % path.length] ^= bytes32(1 << uint256(bit));
        assert(!consistent(from, to, path));
    }

    /// @dev A node of the tree is no leaf: a proof that starts higher has another length, and its hash another first byte.
    function test_nodeIsNoLeaf() public view {
        bytes32 node = sha256(abi.encodePacked(hex"01", leaves[0], leaves[1]));
        bytes32[] memory path = new bytes32[](1);
        path[0] = sha256(abi.encodePacked(hex"01", leaves[2], leaves[3]));
        assert(!included(4, 0, node, path));
        (bool ok,) = proofs.inclusion(rootOf(4), 2, 0, node, path);
        assert(ok); // with another size it would pass: size and root must come together, and in an anchor they do
    }

    function testFuzz_anySizesEnd(uint64 from, uint64 to, uint256 index, uint8 length) public view {
        bytes32[] memory path = new bytes32[](length);
        (bool ok,) = proofs.inclusion(0, to, index, 0, path);
        assert(!ok);
        (ok,) = proofs.consistency(from, to, 0, bytes32(uint256(1)), path);
        assert(!ok);
    }

    function test_largestSizes() public view {
        uint64 max = type(uint64).max;
        (bool ok,) = proofs.inclusion(0, max, max, 0, new bytes32[](64));
        assert(!ok);
        (ok,) = proofs.inclusion(0, max, max - 1, 0, new bytes32[](63));
        assert(!ok);
        (ok,) = proofs.consistency(max - 1, max, 0, 0, new bytes32[](64));
        assert(!ok);
    }

    function test_freePointerIsKept() public view {
        bytes memory before = abi.encode(uint256(7));
        assert(included(13, 4, leaves[4], pathOf(4, 0, 13)) && consistent(5, 13, consistencyOf(5, 13)));
        assert(keccak256(before) == keccak256(abi.encode(uint256(7))));
    }

    function test_contract() public {
        Submission memory s = signed(anchorOf(3, 13, set), set, 1);
        bytes32[] memory path = pathOf(4, 0, 13);
        assert(!ra.verifyInclusion(s.a, leaves[4], 4, path)); // not submitted
        submit(s);
        assert(ra.verifyInclusion(s.a, leaves[4], 4, path));
        assert(!ra.verifyInclusion(s.a, leaves[4], 5, path));
        assert(!ra.verifyInclusion(s.a, leaves[4], 13, path));
        assert(!ra.verifyInclusion(s.a, leaves[5], 4, path));
        assert(!ra.verifyInclusion(s.a, leaves[4], 4, resize(path, path.length - 1)));
        assert(!ra.verifyInclusion(s.a, leaves[4], 4, resize(path, path.length + 1)));
        s.a.treeSize = 14; // not what was signed
        assert(!ra.verifyInclusion(s.a, leaves[4], 4, path));
        s.a.treeSize = 13;
        s.a.nonce = 3 + 1024;
        assert(!ra.verifyInclusion(s.a, leaves[4], 4, path));
        // A stale contract still tells what was.
        s.a.nonce = 3;
        vm.warp(START + 10 * uint256(TRUSTING));
        assert(ra.verifyInclusion(s.a, leaves[4], 4, path));
    }
}
