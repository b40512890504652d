// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ReceiptAnchor} from "../src/ReceiptAnchor.sol";
import {Fixture} from "./Fixture.sol";

/// @dev testdata/golden/anchor.json, made by the Go package domain/anchor, on the contract.
contract GoldenTest is Fixture {
    string internal json;
    bytes32 internal origin;

    function setUp() public {
        json = vm.readFile("../testdata/golden/anchor.json");
        origin = vm.parseJsonBytes32(json, ".origin.originId");
    }

    function read(uint256 i) internal view returns (Submission memory s, bytes32 set) {
        string memory key = string.concat(".submissions[", i == 0 ? "0" : i == 1 ? "1" : "2", "]");
        s.a.nonce = uint64(vm.parseJsonUint(json, string.concat(key, ".nonce")));
        s.a.height = uint64(vm.parseJsonUint(json, string.concat(key, ".height")));
        s.a.time = uint64(vm.parseJsonUint(json, string.concat(key, ".time")));
        s.a.treeSize = uint64(vm.parseJsonUint(json, string.concat(key, ".treeSize")));
        s.a.root = vm.parseJsonBytes32(json, string.concat(key, ".root"));
        s.a.nextValset = vm.parseJsonBytes32(json, string.concat(key, ".nextValset"));
        s.members = vm.parseJsonBytes32Array(json, string.concat(key, ".members"));
        s.bitmap = uint256(vm.parseJsonBytes32(json, string.concat(key, ".bitmap")));
        s.sigs = vm.parseJsonBytes(json, string.concat(key, ".compact"));
        set = vm.parseJsonBytes32(json, string.concat(key, ".valset"));
    }

    function test_submissions() public {
        for (uint256 i = 0; i < 3; i++) {
            (Submission memory s, bytes32 set) = read(i);
            vm.warp(s.a.time);
            ra = new ReceiptAnchor(origin, set, s.a.time, TRUSTING, address(0));
            string memory key = string.concat(".submissions[", i == 0 ? "0" : i == 1 ? "1" : "2", "]");
            assert(ra.hashAnchor(s.a) == vm.parseJsonBytes32(json, string.concat(key, ".structHash")));
            assert(ra.digest(s.a) == vm.parseJsonBytes32(json, string.concat(key, ".digest")));
            submit(s);
            assert(ra.valset() == s.a.nextValset && ra.lastRoot() == s.a.root);
        }
    }

    function test_domain() public {
        (Submission memory s, bytes32 set) = read(0);
        vm.warp(s.a.time);
        ra = new ReceiptAnchor(origin, set, s.a.time, TRUSTING, address(0));
        assert(ra.domainSeparator() == vm.parseJsonBytes32(json, ".origin.domainSeparator"));
        assert(ra.originId() == origin);
    }
}
