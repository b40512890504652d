// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ReceiptAnchor} from "../src/ReceiptAnchor.sol";
import {Fixture} from "./Fixture.sol";

contract SubmitTest is Fixture {
    Set internal set;
    Set internal other;

    function setUp() public {
        set = equalSet("set", 4);
        other = equalSet("other", 5);
        ra = deploy(set, address(0));
        grow(20);
        submit(signed(anchorOf(1, 7, set), set, bits(3)));
    }

    function next() internal view returns (Submission memory) {
        return signed(anchorOf(2, 13, set), set, bits(3));
    }

    function test_takes() public {
        Submission memory s = next();
        s.a.nonce = 5; // nonces may skip
        s = signed(s.a, set, bits(3));
        vm.expectEmit(true, true, true, true, address(ra));
        emit ReceiptAnchor.Anchored(5, s.a.root, s.a.height, 13, s.a.time);
        submit(s);
        (uint64 nonce, uint64 size, uint64 height, uint64 time, bool frozen) = ra.head();
        assert(nonce == 5 && size == 13 && height == s.a.height && time == s.a.time && !frozen);
        assert(ra.lastRoot() == s.a.root && ra.valset() == set.hash && ra.previousValset() == 0);
        assert(ra.ring(5) == ra.hashAnchor(s.a) && ra.ring(1) != 0 && ra.ring(2) == 0);
    }

    function test_first() public {
        ra = deploy(set, address(0));
        assert(ra.lastRoot() == sha256("") && ra.originId() == ORIGIN && ra.trustingPeriod() == TRUSTING && ra.guardian() == address(0));
        // An anchor of the empty log holds its root and no other.
        Submission memory s = signed(anchorOf(1, 0, set), set, bits(3));
        s.a.root = keccak256("else");
        refuse(signed(s.a, set, bits(3)), ReceiptAnchor.Inconsistent.selector);
        submit(signed(anchorOf(1, 0, set), set, bits(3)));
        // From size 0 there is nothing to prove.
        s = next();
        s.consistency = new bytes32[](1);
        refuse(s, ReceiptAnchor.BadLength.selector);
        s.consistency = new bytes32[](0);
        submit(s);
    }

    function test_constructorRefuses() public {
        vm.expectRevert(abi.encodePacked(ReceiptAnchor.BadValset.selector));
        new ReceiptAnchor(ORIGIN, 0, START, TRUSTING, address(0));
        vm.expectRevert(abi.encodePacked(ReceiptAnchor.FutureTime.selector));
        new ReceiptAnchor(ORIGIN, set.hash, START + 15 minutes + 1, TRUSTING, address(0));
        vm.expectRevert(abi.encodePacked(ReceiptAnchor.Stale.selector));
        new ReceiptAnchor(ORIGIN, set.hash, START - TRUSTING - 1, TRUSTING, address(0));
        new ReceiptAnchor(ORIGIN, set.hash, START + 15 minutes, TRUSTING, address(0));
        new ReceiptAnchor(ORIGIN, set.hash, START - TRUSTING, TRUSTING, address(0));
    }

    // Replay.

    function test_nonceMustRise() public {
        Submission memory s = next();
        submit(s);
        refuse(s, ReceiptAnchor.BadNonce.selector); // equal: the race that a relayer lost
        refuse(signed(anchorOf(1, 13, set), set, bits(3)), ReceiptAnchor.BadNonce.selector); // lower
    }

    function test_heightMustRise() public {
        Submission memory s = next();
        s.a.height = 600;
        refuse(signed(s.a, set, bits(3)), ReceiptAnchor.BadNonce.selector);
        s.a.height = 601;
        submit(signed(s.a, set, bits(3)));
    }

    function test_sizeMustNotShrink() public {
        refuse(signed(anchorOf(2, 6, set), set, bits(3)), ReceiptAnchor.Shrunk.selector);
        submit(signed(anchorOf(2, 7, set), set, bits(3)));
    }

    function test_originOfAnotherChain() public {
        ReceiptAnchor ours = ra;
        ra = new ReceiptAnchor(keccak256("a restart with the same name"), set.hash, START, TRUSTING, address(0));
        Submission memory s = next();
        ra = ours;
        refuse(s, abi.encodeWithSelector(ReceiptAnchor.BadSignature.selector, 0));
    }

    function test_everyFieldIsSigned(uint8 field, uint64 by) public {
        Submission memory s = next();
        by = by % 100 + 1;
        field = field % 4;
        if (field == 0) s.a.nonce += by;
        if (field == 1) s.a.height += by;
        if (field == 2) s.a.time -= by;
        if (field == 3) s.a.nextValset = keccak256(abi.encode(by));
        refuse(s, abi.encodeWithSelector(ReceiptAnchor.BadSignature.selector, 0));
    }

    // Time.

    function test_stale() public {
        Submission memory s = next();
        vm.warp(START + TRUSTING);
        submit(s);
        vm.warp(START + TRUSTING + 1); // the anchor's own time is START
        s = signed(anchorOf(3, 13, set), set, bits(3));
        refuse(s, ReceiptAnchor.Stale.selector);
    }

    function test_futureTime() public {
        Submission memory s = next();
        s.a.time = START + 15 minutes + 1;
        refuse(signed(s.a, set, bits(3)), ReceiptAnchor.FutureTime.selector);
        s.a.time = type(uint64).max;
        refuse(signed(s.a, set, bits(3)), ReceiptAnchor.FutureTime.selector);
        s.a.time = START + 15 minutes;
        submit(signed(s.a, set, bits(3)));
    }

    function test_timeNeverGoesBack() public {
        Submission memory s = next();
        s.a.time = START - 1000;
        submit(signed(s.a, set, bits(3)));
        (,,, uint64 time,) = ra.head();
        assert(time == START);
    }

    // The set.

    function test_wrongSet() public {
        refuse(signed(anchorOf(2, 13, set), other, bits(5)), ReceiptAnchor.BadValset.selector);
    }

    function test_swappedMembers() public {
        Submission memory s = next();
        (s.members[0], s.members[1]) = (s.members[1], s.members[0]);
        refuse(s, ReceiptAnchor.BadValset.selector);
    }

    function test_raisedPower() public {
        Submission memory s = next();
        s.members[0] = bytes32(uint256(s.members[0]) + 1);
        refuse(s, ReceiptAnchor.BadValset.selector);
    }

    function test_noMembers() public {
        Submission memory s = next();
        s.members = new bytes32[](0);
        refuse(s, ReceiptAnchor.BadValset.selector);
    }

    function test_nextSetZero() public {
        Submission memory s = next();
        s.a.nextValset = 0;
        refuse(signed(s.a, set, bits(3)), ReceiptAnchor.BadValset.selector);
    }

    /// @dev Sets that a chain never makes, but whose hash somebody could deploy.
    function withSet(Set memory odd, bytes4 reason) internal {
        odd.hash = keccak256(abi.encodePacked(odd.words));
        ra = deploy(odd, address(0));
        refuse(signed(anchorOf(1, 7, odd), odd, bits(odd.words.length)), reason);
    }

    function test_duplicateMember() public {
        Set memory odd = equalSet("set", 4);
        (odd.words[1], odd.keys[1]) = (odd.words[0], odd.keys[0]);
        withSet(odd, ReceiptAnchor.BadValset.selector);
    }

    function test_duplicateMemberOfOtherPower() public {
        Set memory odd = equalSet("set", 4);
        (odd.words[1], odd.keys[1]) = (bytes32(uint256(odd.words[0]) + 1), odd.keys[0]);
        withSet(odd, ReceiptAnchor.BadValset.selector);
    }

    function test_descendingMembers() public {
        Set memory odd = equalSet("set", 4);
        (odd.words[1], odd.words[2], odd.keys[1], odd.keys[2]) = (odd.words[2], odd.words[1], odd.keys[2], odd.keys[1]);
        withSet(odd, ReceiptAnchor.BadValset.selector);
    }

    function test_zeroAddress() public {
        Set memory odd = equalSet("set", 4);
        odd.words[0] = bytes32(uint256(100));
        odd.hash = keccak256(abi.encodePacked(odd.words));
        ra = deploy(odd, address(0));
        Submission memory s = signed(anchorOf(1, 7, odd), odd, bits(4));
        for (uint256 i = 0; i < 64; i++) {
            s.sigs[i] = 0; // ecrecover gives nothing for it, and nothing is what the zero address would be
        }
        refuse(s, ReceiptAnchor.BadValset.selector);
    }

    function test_emptySet() public {
        Set memory odd;
        withSet(odd, ReceiptAnchor.BadLength.selector);
    }

    function test_tooManyMembers() public {
        withSet(equalSet("many", 257), ReceiptAnchor.BadLength.selector);
    }

    function test_fullSet() public {
        Set memory full = equalSet("many", 256);
        ra = deploy(full, address(0));
        refuse(signed(anchorOf(1, 7, full), full, bits(170)), abi.encodeWithSelector(ReceiptAnchor.LowPower.selector, 17_000, 25_600));
        submit(signed(anchorOf(1, 7, full), full, bits(256)));
        submit(signed(anchorOf(2, 7, full), full, bits(171) << 85));
    }

    // Signatures.

    function test_extraBits() public {
        Submission memory s = next();
        s.bitmap |= 1 << 4;
        refuse(s, ReceiptAnchor.BadLength.selector);
        s.sigs = abi.encodePacked(s.sigs, compact(set.keys[0], ra.digest(s.a)));
        refuse(s, ReceiptAnchor.BadLength.selector);
        s.bitmap = bits(3) | 1 << 255;
        refuse(s, ReceiptAnchor.BadLength.selector);
    }

    function test_signatureBytes(uint16 length) public {
        Submission memory s = next();
        uint256 n = uint256(length) % 400;
        bytes memory sigs = new bytes(n);
        for (uint256 i = 0; i < n && i < s.sigs.length; i++) {
            sigs[i] = s.sigs[i];
        }
        s.sigs = sigs;
        if (n == 192) submit(s);
        else refuse(s, ReceiptAnchor.BadLength.selector);
    }

    function test_powerBelowQuorumByOne() public {
        // 2/3 of 300 is 200: not enough, and 201 of 301 are.
        uint64[] memory powers = new uint64[](3);
        (powers[0], powers[1], powers[2]) = (100, 100, 100);
        Set memory three = makeSet("three", 3, powers);
        ra = deploy(three, address(0));
        refuse(signed(anchorOf(1, 7, three), three, bits(2)), abi.encodeWithSelector(ReceiptAnchor.LowPower.selector, 200, 300));
        submit(signed(anchorOf(1, 7, three), three, bits(3)));
        powers[2] = 98; // 200 of 298 is more than two thirds, by 4/3
        three = makeSet("three", 3, powers);
        ra = deploy(three, address(0));
        uint256 low;
        for (uint256 i = 0; i < 3; i++) {
            if (uint96(uint256(three.words[i])) == 98) low = i;
        }
        submit(signed(anchorOf(1, 7, three), three, bits(3) ^ 1 << low));
        Submission memory s = signed(anchorOf(2, 7, three), three, bits(3) ^ 1 << (low == 0 ? 1 : 0));
        refuse(s, abi.encodeWithSelector(ReceiptAnchor.LowPower.selector, 198, 298));
    }

    function test_noSignatures() public {
        refuse(signed(anchorOf(2, 13, set), set, 0), abi.encodeWithSelector(ReceiptAnchor.LowPower.selector, 0, 400));
    }

    function test_largestPowers() public {
        Set memory full = equalSet("many", 256);
        for (uint256 i = 0; i < 256; i++) {
            full.words[i] = bytes32(uint256(full.words[i]) | type(uint96).max);
        }
        full.hash = keccak256(abi.encodePacked(full.words));
        ra = deploy(full, address(0));
        uint256 one = type(uint96).max;
        refuse(signed(anchorOf(1, 7, full), full, bits(170)), abi.encodeWithSelector(ReceiptAnchor.LowPower.selector, 170 * one, 256 * one));
        submit(signed(anchorOf(1, 7, full), full, bits(171)));
    }

    function test_sameSignerTwice() public {
        Submission memory s = signed(anchorOf(2, 13, set), set, bits(2));
        s.bitmap = bits(3);
        s.sigs = abi.encodePacked(s.sigs, compact(set.keys[1], ra.digest(s.a)));
        refuse(s, abi.encodeWithSelector(ReceiptAnchor.BadSignature.selector, 2));
    }

    function test_outOfOrder() public {
        Submission memory s = next();
        bytes32 digest = ra.digest(s.a);
        s.sigs = abi.encodePacked(compact(set.keys[0], digest), compact(set.keys[2], digest), compact(set.keys[1], digest));
        refuse(s, abi.encodeWithSelector(ReceiptAnchor.BadSignature.selector, 1));
    }

    function test_anyQuorum(uint8 who) public {
        uint256 bitmap = uint256(who) % 16;
        Submission memory s = signed(anchorOf(2, 13, set), set, bitmap);
        uint256 power = 100 * ((bitmap & 1) + (bitmap >> 1 & 1) + (bitmap >> 2 & 1) + (bitmap >> 3));
        if (power < 300) refuse(s, abi.encodeWithSelector(ReceiptAnchor.LowPower.selector, power, 400));
        else submit(s);
    }

    function test_malleableS() public {
        Submission memory s = next();
        (uint8 v, bytes32 r, bytes32 low) = vm.sign(set.keys[1], ra.digest(s.a));
        // The same signature's second form: n - s with the other v. ecrecover takes it.
        bytes32 high = bytes32(0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141 - uint256(low));
        v = 55 - v;
        assert(ecrecover(ra.digest(s.a), v, r, high) == vm.addr(set.keys[1]));
        bytes memory sig = abi.encodePacked(r, bytes32(uint256(high) | uint256(v - 27) << 255));
        for (uint256 i = 0; i < 64; i++) {
            s.sigs[64 + i] = sig[i];
        }
        refuse(s, abi.encodeWithSelector(ReceiptAnchor.BadSignature.selector, 1));
    }

    function test_anyBitOfASignature(uint16 bit) public {
        Submission memory s = next();
        bit = bit % 1536;
        s.sigs[bit / 8] = bytes1(uint8(s.sigs[bit / 8]) ^ uint8(1 << (bit % 8)));
        refuse(s, abi.encodeWithSelector(ReceiptAnchor.BadSignature.selector, bit / 512));
    }

    function test_garbageSignature(bytes32 r, bytes32 vs) public {
        Submission memory s = signed(anchorOf(2, 13, set), set, bits(2));
        s.bitmap = bits(3);
        s.sigs = abi.encodePacked(s.sigs, r, vs);
        refuse(s, abi.encodeWithSelector(ReceiptAnchor.BadSignature.selector, 2));
    }

    // History.

    function test_rewrittenHistory() public {
        leaves[3] = keccak256("a receipt that was not there");
        refuse(next(), ReceiptAnchor.Inconsistent.selector);
    }

    function test_sameSizeOtherRoot() public {
        Submission memory s = signed(anchorOf(2, 7, set), set, bits(3));
        s.a.root = keccak256("another log of seven leaves");
        refuse(signed(s.a, set, bits(3)), ReceiptAnchor.Inconsistent.selector);
        s = signed(anchorOf(2, 7, set), set, bits(3));
        s.consistency = new bytes32[](1);
        refuse(s, ReceiptAnchor.BadLength.selector);
    }

    function test_consistencyLength(uint8 length) public {
        Submission memory s = next();
        uint256 want = s.consistency.length;
        bytes32[] memory proof = new bytes32[](length % 64);
        for (uint256 i = 0; i < want && i < proof.length; i++) {
            proof[i] = s.consistency[i];
        }
        s.consistency = proof;
        if (proof.length == want) submit(s);
        else refuse(s, ReceiptAnchor.BadLength.selector);
    }

    function test_consistencyAltered(uint8 place, uint8 bit) public {
        Submission memory s = next();
        place = uint8(place % s.consistency.length);
        s.consistency[place] ^= bytes32(1 << uint256(bit));
        refuse(s, ReceiptAnchor.Inconsistent.selector);
    }

    // Rotation and the ring.

    function test_rotation() public {
        Submission memory s = next();
        s.a.nextValset = other.hash;
        s = signed(s.a, set, bits(3));
        vm.expectEmit(true, true, true, true, address(ra));
        emit ReceiptAnchor.ValsetUpdated(2, other.hash);
        submit(s);
        assert(ra.valset() == other.hash && ra.previousValset() == set.hash && ra.previousTime() == START);
        refuse(signed(anchorOf(3, 13, other), set, bits(4)), ReceiptAnchor.BadValset.selector);
        submit(signed(anchorOf(3, 13, other), other, bits(4)));
    }

    function test_ringWraps() public {
        Submission memory first = signed(anchorOf(2, 13, set), set, bits(3));
        submit(first);
        bytes32[] memory path = pathOf(4, 0, 13);
        assert(ra.verifyInclusion(first.a, leaves[4], 4, path));
        Submission memory same = signed(anchorOf(2 + 1024, 13, set), set, bits(3));
        submit(same);
        assert(ra.RING() == 1024 && ra.ring(2) == ra.hashAnchor(same.a));
        // The older anchor is gone; the newer one proves what it did.
        assert(!ra.verifyInclusion(first.a, leaves[4], 4, path));
        assert(ra.verifyInclusion(same.a, leaves[4], 4, path));
    }
}
