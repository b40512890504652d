// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ReceiptAnchor} from "../src/ReceiptAnchor.sol";
import {Fixture} from "./Fixture.sol";

contract FreezeTest is Fixture {
    Set internal set;
    Set internal other;

    function setUp() public {
        set = equalSet("set", 4);
        other = equalSet("other", 4);
        ra = deploy(set, GUARDIAN);
        grow(20);
        submit(signed(anchorOf(1, 7, set), set, bits(3)));
    }

    /// @dev An anchor of this nonce whose log is a lie.
    function fork(uint64 nonce, Set memory by) internal view returns (Submission memory) {
        ReceiptAnchor.Anchor memory a = anchorOf(nonce, 13, by);
        a.root = keccak256("another log");
        return signed(a, by, bits(3));
    }

    function rotate() internal {
        ReceiptAnchor.Anchor memory a = anchorOf(2, 13, other);
        submit(signed(a, set, bits(3)));
        assert(ra.valset() == other.hash);
    }

    function refuseFreeze(Submission memory a, Submission memory b, bytes memory reason) internal {
        vm.expectRevert(reason);
        freeze(a, b);
    }

    function refuseFreeze(Submission memory a, Submission memory b, bytes4 reason) internal {
        refuseFreeze(a, b, abi.encodePacked(reason));
    }

    function frozen() internal view returns (bool is_) {
        (,,,, is_) = ra.head();
    }

    function test_bothByTheHeldSet() public {
        Submission memory a = signed(anchorOf(9, 13, set), set, bits(3)); // neither was submitted
        Submission memory b = fork(9, set);
        vm.expectEmit(true, true, true, true, address(ra));
        emit ReceiptAnchor.Frozen(9, ra.hashAnchor(a.a), ra.hashAnchor(b.a));
        freeze(a, b);
        assert(frozen());
    }

    function test_frozenForEver() public {
        Submission memory held = signed(anchorOf(2, 13, set), set, bits(3));
        submit(held);
        assert(ra.verifyInclusion(held.a, leaves[3], 3, pathOf(3, 0, 13)));
        freeze(held, fork(2, set));
        assert(!ra.verifyInclusion(held.a, leaves[3], 3, pathOf(3, 0, 13)));
        refuse(signed(anchorOf(3, 14, set), set, bits(3)), ReceiptAnchor.IsFrozen.selector);
        refuseFreeze(held, fork(2, set), ReceiptAnchor.IsFrozen.selector);
        vm.warp(START + TRUSTING + 1);
        vm.prank(GUARDIAN);
        vm.expectRevert(abi.encodePacked(ReceiptAnchor.IsFrozen.selector));
        ra.recover(other.hash, START + TRUSTING);
    }

    function test_ringStandsForSignatures() public {
        Submission memory held = signed(anchorOf(2, 13, set), set, bits(3));
        submit(held);
        (held.members, held.bitmap, held.sigs) = (new bytes32[](0), 0, "");
        freeze(fork(2, set), held); // on either side
        assert(frozen());
    }

    function test_overwrittenRingDoesNot() public {
        Submission memory held = signed(anchorOf(2, 13, set), set, bits(3));
        submit(held);
        submit(signed(anchorOf(2 + 1024, 14, set), set, bits(3)));
        Submission memory bare = signed(held.a, set, bits(3));
        (bare.members, bare.bitmap, bare.sigs) = (new bytes32[](0), 0, "");
        refuseFreeze(bare, fork(2, set), ReceiptAnchor.BadValset.selector);
        freeze(held, fork(2, set)); // with its signatures it still counts
        assert(frozen());
    }

    function test_previousSet() public {
        rotate();
        freeze(signed(anchorOf(3, 13, set), set, bits(3)), fork(3, set));
        assert(frozen());
    }

    function test_previousAgainstHeld() public {
        rotate();
        freeze(signed(anchorOf(3, 13, other), other, bits(3)), fork(3, set));
        assert(frozen());
    }

    function test_previousSetForATrustingPeriod() public {
        rotate();
        vm.warp(START + TRUSTING - 1);
        submit(signed(anchorOf(3, 14, other), other, bits(3)));
        vm.warp(START + TRUSTING + 1); // the held set is fresh, the one before may have left with its stake
        Submission memory a = signed(anchorOf(4, 13, set), set, bits(3));
        refuseFreeze(a, fork(4, set), ReceiptAnchor.BadValset.selector);
        freeze(signed(anchorOf(4, 15, other), other, bits(3)), fork(4, other));
    }

    function test_lateRotationDoesNotRenewThePreviousSet() public {
        vm.warp(START + TRUSTING); // the last moment: its members may have left a trusting period ago
        rotate();
        vm.warp(START + TRUSTING + 1);
        refuseFreeze(signed(anchorOf(3, 13, set), set, bits(3)), fork(3, set), ReceiptAnchor.BadValset.selector);
        freeze(signed(anchorOf(3, 13, other), other, bits(3)), fork(3, other));
    }

    function test_setBeforeThePrevious() public {
        rotate();
        Set memory third = equalSet("third", 4);
        submit(signed(anchorOf(3, 13, third), other, bits(3)));
        refuseFreeze(signed(anchorOf(4, 13, set), set, bits(3)), fork(4, set), ReceiptAnchor.BadValset.selector);
    }

    function test_noConflict() public {
        Submission memory a = signed(anchorOf(9, 13, set), set, bits(3));
        refuseFreeze(a, fork(8, set), ReceiptAnchor.NoConflict.selector); // nonces may have different anchors
        refuseFreeze(a, a, ReceiptAnchor.NoConflict.selector);
        refuseFreeze(a, signed(a.a, set, bits(3) << 1), ReceiptAnchor.NoConflict.selector); // other signers of the same
        assert(!frozen());
    }

    function test_signaturesCount() public {
        Submission memory held = signed(anchorOf(1, 7, set), set, bits(3));
        Submission memory b = fork(1, set);
        refuseFreeze(held, signed(b.a, set, bits(2)), abi.encodeWithSelector(ReceiptAnchor.LowPower.selector, 200, 400));
        b.sigs[70] ^= 0x01;
        refuseFreeze(held, b, abi.encodeWithSelector(ReceiptAnchor.BadSignature.selector, 1));
        b = fork(1, set);
        b.bitmap |= 1 << 9;
        refuseFreeze(held, b, ReceiptAnchor.BadLength.selector);
        refuseFreeze(held, fork(1, other), ReceiptAnchor.BadValset.selector);
        refuseFreeze(fork(1, other), held, ReceiptAnchor.BadValset.selector);
    }

    function test_staleSetFreezesNothing() public {
        Submission memory held = signed(anchorOf(1, 7, set), set, bits(3));
        Submission memory b = fork(1, set);
        vm.warp(START + TRUSTING + 1);
        refuseFreeze(held, b, ReceiptAnchor.Stale.selector);
        vm.warp(START + TRUSTING);
        freeze(held, b);
    }
}

contract RecoverTest is Fixture {
    Set internal set;
    Set internal other;

    function setUp() public {
        set = equalSet("set", 4);
        other = equalSet("other", 4);
        ra = deploy(set, GUARDIAN);
        grow(20);
        submit(signed(anchorOf(1, 7, set), set, bits(3)));
    }

    function refuseRecover(bytes32 hash, uint64 time, bytes4 reason) internal {
        vm.prank(GUARDIAN);
        vm.expectRevert(abi.encodePacked(reason));
        ra.recover(hash, time);
    }

    function test_onlyWhenStale() public {
        vm.warp(START + TRUSTING);
        refuseRecover(other.hash, START + TRUSTING, ReceiptAnchor.NotStale.selector);
        vm.warp(START + TRUSTING + 1);
        vm.prank(GUARDIAN);
        vm.expectEmit(true, true, true, true, address(ra));
        emit ReceiptAnchor.ValsetUpdated(1, other.hash);
        ra.recover(other.hash, START + TRUSTING);
        (uint64 nonce, uint64 size,, uint64 time,) = ra.head();
        assert(nonce == 1 && size == 7 && time == START + TRUSTING && ra.valset() == other.hash);
        assert(ra.previousValset() == 0 && ra.previousTime() == 0);
        refuseRecover(set.hash, START + TRUSTING, ReceiptAnchor.NotStale.selector); // once
    }

    function test_onlyTheGuardian(address who) public {
        vm.warp(START + TRUSTING + 1);
        if (who == GUARDIAN) return;
        vm.prank(who);
        vm.expectRevert(abi.encodePacked(ReceiptAnchor.NotGuardian.selector));
        ra.recover(other.hash, START + TRUSTING);
    }

    function test_noGuardian() public {
        ra = deploy(set, address(0));
        vm.warp(START + TRUSTING + 1);
        vm.expectRevert(abi.encodePacked(ReceiptAnchor.NotGuardian.selector));
        ra.recover(other.hash, START + TRUSTING);
    }

    function test_arguments() public {
        uint64 now_ = START + TRUSTING + 1;
        vm.warp(now_);
        refuseRecover(0, now_, ReceiptAnchor.BadValset.selector);
        refuseRecover(other.hash, now_ + 15 minutes + 1, ReceiptAnchor.FutureTime.selector);
        refuseRecover(other.hash, type(uint64).max, ReceiptAnchor.FutureTime.selector);
        refuseRecover(other.hash, START, ReceiptAnchor.Stale.selector); // it would be stale at once
    }

    function test_historyStays() public {
        vm.warp(START + TRUSTING + 1);
        vm.prank(GUARDIAN);
        ra.recover(other.hash, START + TRUSTING);
        refuse(signed(anchorOf(1, 13, other), other, bits(3)), ReceiptAnchor.BadNonce.selector);
        refuse(signed(anchorOf(2, 6, other), other, bits(3)), ReceiptAnchor.Shrunk.selector);
        Submission memory s = signed(anchorOf(2, 13, other), other, bits(3));
        s.a.root = keccak256("the guardian's own log");
        refuse(signed(s.a, other, bits(3)), ReceiptAnchor.Inconsistent.selector);
        refuse(signed(anchorOf(2, 13, other), set, bits(3)), ReceiptAnchor.BadValset.selector);
        // The chain's pending anchor may be older than the time the guardian named; the time stays the newer.
        s.a = anchorOf(2, 13, other);
        s.a.time = START + TRUSTING - 500;
        submit(signed(s.a, other, bits(3)));
        (,,, uint64 time,) = ra.head();
        assert(time == START + TRUSTING);
    }

    function test_staleSetCanNotFreezeAfterwards() public {
        Submission memory a = signed(anchorOf(2, 13, set), set, bits(3));
        Submission memory b = signed(anchorOf(2, 14, set), set, bits(3));
        vm.warp(START + TRUSTING + 1);
        vm.prank(GUARDIAN);
        ra.recover(other.hash, START + TRUSTING);
        vm.expectRevert(abi.encodePacked(ReceiptAnchor.BadValset.selector));
        freeze(a, b);
    }
}
