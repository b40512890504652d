// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LogProof} from "../src/lib/LogProof.sol";

/// @title The proof library alone, for vectors and for what it costs.
contract LogProofHarness {
    function inclusion(bytes32 root, uint64 size, uint256 index, bytes32 leafHash, bytes32[] calldata path)
        external
        view
        returns (bool ok, uint256 gas)
    {
        uint256 start = gasleft();
        ok = LogProof.verifyInclusion(root, size, index, leafHash, path);
        gas = start - gasleft();
    }

    /// @dev The checks of ReceiptAnchor.submit, for sizes above 0.
    function consistency(uint64 from, uint64 to, bytes32 rootFrom, bytes32 rootTo, bytes32[] calldata path)
        external
        view
        returns (bool ok, uint256 gas)
    {
        uint256 start = gasleft();
        ok = _consistent(from, to, rootFrom, rootTo, path);
        gas = start - gasleft();
    }

    /// @dev What a contract pays for a call that answers with a bool: a cold account and cold slots included.
    function measure(address target, bytes calldata data) external view returns (bool ok, uint256 gas) {
        uint256 start = gasleft();
        (bool success, bytes memory out) = target.staticcall(data);
        gas = start - gasleft();
        ok = success && abi.decode(out, (bool));
    }

    function _consistent(uint64 from, uint64 to, bytes32 rootFrom, bytes32 rootTo, bytes32[] calldata path) private view returns (bool) {
        if (from == 0 || from > to) return false;
        if (from == to) return path.length == 0 && rootFrom == rootTo;
        (bool sized, bool linked) = LogProof.verifyConsistency(rootFrom, rootTo, from, to, path);
        return sized && linked;
    }
}
