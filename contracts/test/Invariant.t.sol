// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ReceiptAnchor} from "../src/ReceiptAnchor.sol";
import {Fixture} from "./Fixture.sol";

/// @dev Does what honest and dishonest callers do, in any order, and keeps a model of what must come of it.
contract Handler is Fixture {
    Set[3] internal sets;
    uint256 public holder;
    uint256 public before;
    uint64 public nonce;
    uint64 public size;
    uint64 public height;
    bool public frozen;
    ReceiptAnchor.Anchor internal newest;

    constructor() {
        sets[0] = equalSet("set 0", 3);
        sets[1] = equalSet("set 1", 4);
        sets[2] = equalSet("set 2", 1);
        ra = deploy(sets[0], GUARDIAN);
        (before, holder) = (3, 0);
        newest.nextValset = sets[0].hash;
        grow(40);
    }

    function target() external view returns (ReceiptAnchor) {
        return ra;
    }

    function last() external view returns (ReceiptAnchor.Anchor memory) {
        return newest;
    }

    function hashOf(uint256 i) external view returns (bytes32) {
        return i == 3 ? bytes32(0) : sets[i].hash;
    }

    function leaf(uint256 i) external view returns (bytes32) {
        return leaves[i];
    }

    function path(uint256 i) external view returns (bytes32[] memory) {
        return pathOf(i, 0, newest.treeSize);
    }

    function rootNow() external view returns (bytes32) {
        return rootOf(size);
    }

    /// @dev A true anchor, signed by all; wrong says by whom and with what fault.
    function anchor(uint8 skip, uint8 growth, uint8 heir, uint8 wrong) external {
        (,,, uint64 time,) = ra.head();
        if (block.timestamp > uint256(time) + TRUSTING) return;
        uint64 to = size + growth % 4;
        if (to > 40) to = 40;
        ReceiptAnchor.Anchor memory a = anchorOf(nonce + skip % 3 + 1, to, sets[heir % 8 < 3 ? uint256(heir % 8) : holder]);
        a.height = height + 1 + skip;
        Set memory by = sets[holder];
        wrong = wrong % 16;
        if (wrong == 1) a.root = keccak256(abi.encode(a.root));
        if (wrong == 2) a.nonce = nonce;
        if (wrong == 3 && size > 0) a.treeSize = size - 1;
        if (wrong == 4) a.height = height;
        if (wrong == 5) by = sets[(holder + 1) % 3];
        Submission memory s = signed(a, by, bits(by.words.length));
        if (wrong == 6) s.sigs[skip % s.sigs.length] ^= 0x01;
        bool faulty = frozen || (wrong > 0 && wrong < 3) || (wrong == 3 && size > 0) || (wrong > 3 && wrong < 7);
        // The first log is what its signers say; the model has no way back from a false one.
        if (wrong == 1 && size == 0 && to > 0) return;
        try ra.submit(s.a, s.members, s.bitmap, s.sigs, s.consistency) {
            assert(!faulty);
        } catch {
            assert(faulty);
            return;
        }
        (nonce, size, height, newest) = (a.nonce, to, a.height, a);
        for (uint256 i = 0; i < 3; i++) {
            if (sets[i].hash == a.nextValset && i != holder) {
                (before, holder) = (holder, i);
                return;
            }
        }
    }

    function wait(uint32 seconds_) external {
        vm.warp(block.timestamp + seconds_ % (TRUSTING / 8));
    }

    function rescue(uint8 to) external {
        (,,, uint64 time,) = ra.head();
        bool stale = block.timestamp > uint256(time) + TRUSTING;
        vm.prank(GUARDIAN);
        try ra.recover(sets[to % 3].hash, uint64(block.timestamp)) {
            assert(stale && !frozen);
            (before, holder, newest.nextValset) = (3, to % 3, sets[to % 3].hash);
        } catch {
            assert(!stale || frozen);
        }
    }

    /// @dev Two anchors of one nonce, by the held set or another; rare, because nothing follows it.
    function conflict(uint8 who, uint16 rare) external {
        if (rare % 64 != 0) return;
        (,,, uint64 time,) = ra.head();
        bool stale = block.timestamp > uint256(time) + TRUSTING;
        Set memory by = sets[who % 3];
        uint256 all = bits(by.words.length);
        Submission memory a = signed(anchorOf(nonce + 1, size, by), by, all);
        Submission memory b = signed(anchorOf(nonce + 1, size, sets[(uint256(who) + 1) % 3]), by, all);
        bool believed = who % 3 == holder || (who % 3 == before && block.timestamp <= uint256(ra.previousTime()) + TRUSTING);
        try ra.freeze(a.a, a.members, a.bitmap, a.sigs, b.a, b.members, b.bitmap, b.sigs) {
            assert(!stale && believed && !frozen);
            frozen = true;
        } catch {
            assert(stale || !believed || frozen);
        }
    }
}

contract InvariantTest is Fixture {
    Handler internal handler;

    function setUp() public {
        handler = new Handler();
        ra = handler.target();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_headIsTheModels() public view {
        (uint64 nonce, uint64 size, uint64 height,, bool frozen) = ra.head();
        assert(nonce == handler.nonce() && size == handler.size() && height == handler.height() && frozen == handler.frozen());
        assert(ra.lastRoot() == handler.rootNow());
    }

    function invariant_setIsTheOneNamed() public view {
        assert(ra.valset() == handler.last().nextValset);
        assert(ra.valset() == handler.hashOf(handler.holder()) && ra.previousValset() == handler.hashOf(handler.before()));
    }

    function invariant_newestAnchorProves() public view {
        ReceiptAnchor.Anchor memory a = handler.last();
        if (a.treeSize == 0) return;
        // After a recovery the model's newest anchor carries the recovered set, which was not signed.
        bool held = ra.ring(a.nonce % 1024) == ra.hashAnchor(a);
        uint256 index = a.treeSize / 2;
        bool proven = ra.verifyInclusion(a, handler.leaf(index), index, handler.path(index));
        assert(proven == (held && !handler.frozen()));
    }
}
