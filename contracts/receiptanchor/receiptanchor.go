// Code generated via abigen V2 - DO NOT EDIT.
// This file is a generated binding and any manual changes will be lost.

package receiptanchor

import (
	"bytes"
	"errors"
	"math/big"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// Reference imports to suppress errors if they are not otherwise used.
var (
	_ = bytes.Equal
	_ = errors.New
	_ = big.NewInt
	_ = common.Big1
	_ = types.BloomLookup
	_ = abi.ConvertType
)

// ReceiptAnchorAnchor is an auto generated low-level Go binding around an user-defined struct.
type ReceiptAnchorAnchor struct {
	Nonce      uint64
	Height     uint64
	Time       uint64
	TreeSize   uint64
	Root       [32]byte
	NextValset [32]byte
}

// ReceiptAnchorMetaData contains all meta data concerning the ReceiptAnchor contract.
var ReceiptAnchorMetaData = bind.MetaData{
	ABI: "[{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"origin\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"firstValset\",\"type\":\"bytes32\"},{\"internalType\":\"uint64\",\"name\":\"time\",\"type\":\"uint64\"},{\"internalType\":\"uint32\",\"name\":\"trusting\",\"type\":\"uint32\"},{\"internalType\":\"address\",\"name\":\"recoverer\",\"type\":\"address\"}],\"stateMutability\":\"nonpayable\",\"type\":\"constructor\"},{\"inputs\":[],\"name\":\"BadLength\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"BadNonce\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"index\",\"type\":\"uint256\"}],\"name\":\"BadSignature\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"BadValset\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"FutureTime\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"Inconsistent\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"IsFrozen\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"got\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"total\",\"type\":\"uint256\"}],\"name\":\"LowPower\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"NoConflict\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"NotGuardian\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"NotStale\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"Shrunk\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"Stale\",\"type\":\"error\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"uint64\",\"name\":\"nonce\",\"type\":\"uint64\"},{\"indexed\":true,\"internalType\":\"bytes32\",\"name\":\"root\",\"type\":\"bytes32\"},{\"indexed\":false,\"internalType\":\"uint64\",\"name\":\"height\",\"type\":\"uint64\"},{\"indexed\":false,\"internalType\":\"uint64\",\"name\":\"treeSize\",\"type\":\"uint64\"},{\"indexed\":false,\"internalType\":\"uint64\",\"name\":\"time\",\"type\":\"uint64\"}],\"name\":\"Anchored\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"uint64\",\"name\":\"nonce\",\"type\":\"uint64\"},{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"a\",\"type\":\"bytes32\"},{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"b\",\"type\":\"bytes32\"}],\"name\":\"Frozen\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"uint64\",\"name\":\"nonce\",\"type\":\"uint64\"},{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"valset\",\"type\":\"bytes32\"}],\"name\":\"ValsetUpdated\",\"type\":\"event\"},{\"inputs\":[],\"name\":\"MAX_AHEAD\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"RING\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"components\":[{\"internalType\":\"uint64\",\"name\":\"nonce\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"height\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"time\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"treeSize\",\"type\":\"uint64\"},{\"internalType\":\"bytes32\",\"name\":\"root\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"nextValset\",\"type\":\"bytes32\"}],\"internalType\":\"structReceiptAnchor.Anchor\",\"name\":\"a\",\"type\":\"tuple\"}],\"name\":\"digest\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"\",\"type\":\"bytes32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"domainSeparator\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"\",\"type\":\"bytes32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"components\":[{\"internalType\":\"uint64\",\"name\":\"nonce\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"height\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"time\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"treeSize\",\"type\":\"uint64\"},{\"internalType\":\"bytes32\",\"name\":\"root\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"nextValset\",\"type\":\"bytes32\"}],\"internalType\":\"structReceiptAnchor.Anchor\",\"name\":\"a\",\"type\":\"tuple\"},{\"internalType\":\"bytes32[]\",\"name\":\"membersA\",\"type\":\"bytes32[]\"},{\"internalType\":\"uint256\",\"name\":\"bitmapA\",\"type\":\"uint256\"},{\"internalType\":\"bytes\",\"name\":\"sigsA\",\"type\":\"bytes\"},{\"components\":[{\"internalType\":\"uint64\",\"name\":\"nonce\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"height\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"time\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"treeSize\",\"type\":\"uint64\"},{\"internalType\":\"bytes32\",\"name\":\"root\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"nextValset\",\"type\":\"bytes32\"}],\"internalType\":\"structReceiptAnchor.Anchor\",\"name\":\"b\",\"type\":\"tuple\"},{\"internalType\":\"bytes32[]\",\"name\":\"membersB\",\"type\":\"bytes32[]\"},{\"internalType\":\"uint256\",\"name\":\"bitmapB\",\"type\":\"uint256\"},{\"internalType\":\"bytes\",\"name\":\"sigsB\",\"type\":\"bytes\"}],\"name\":\"freeze\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"guardian\",\"outputs\":[{\"internalType\":\"address\",\"name\":\"\",\"type\":\"address\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"components\":[{\"internalType\":\"uint64\",\"name\":\"nonce\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"height\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"time\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"treeSize\",\"type\":\"uint64\"},{\"internalType\":\"bytes32\",\"name\":\"root\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"nextValset\",\"type\":\"bytes32\"}],\"internalType\":\"structReceiptAnchor.Anchor\",\"name\":\"a\",\"type\":\"tuple\"}],\"name\":\"hashAnchor\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"h\",\"type\":\"bytes32\"}],\"stateMutability\":\"pure\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"head\",\"outputs\":[{\"internalType\":\"uint64\",\"name\":\"nonce\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"treeSize\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"height\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"time\",\"type\":\"uint64\"},{\"internalType\":\"bool\",\"name\":\"frozen\",\"type\":\"bool\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"lastRoot\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"\",\"type\":\"bytes32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"originId\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"\",\"type\":\"bytes32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"previousTime\",\"outputs\":[{\"internalType\":\"uint64\",\"name\":\"\",\"type\":\"uint64\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"previousValset\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"\",\"type\":\"bytes32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"newValset\",\"type\":\"bytes32\"},{\"internalType\":\"uint64\",\"name\":\"time\",\"type\":\"uint64\"}],\"name\":\"recover\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"name\":\"ring\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"\",\"type\":\"bytes32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"components\":[{\"internalType\":\"uint64\",\"name\":\"nonce\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"height\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"time\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"treeSize\",\"type\":\"uint64\"},{\"internalType\":\"bytes32\",\"name\":\"root\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"nextValset\",\"type\":\"bytes32\"}],\"internalType\":\"structReceiptAnchor.Anchor\",\"name\":\"a\",\"type\":\"tuple\"},{\"internalType\":\"bytes32[]\",\"name\":\"members\",\"type\":\"bytes32[]\"},{\"internalType\":\"uint256\",\"name\":\"bitmap\",\"type\":\"uint256\"},{\"internalType\":\"bytes\",\"name\":\"sigs\",\"type\":\"bytes\"},{\"internalType\":\"bytes32[]\",\"name\":\"consistency\",\"type\":\"bytes32[]\"}],\"name\":\"submit\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"trustingPeriod\",\"outputs\":[{\"internalType\":\"uint32\",\"name\":\"\",\"type\":\"uint32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"valset\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"\",\"type\":\"bytes32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"components\":[{\"internalType\":\"uint64\",\"name\":\"nonce\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"height\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"time\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"treeSize\",\"type\":\"uint64\"},{\"internalType\":\"bytes32\",\"name\":\"root\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"nextValset\",\"type\":\"bytes32\"}],\"internalType\":\"structReceiptAnchor.Anchor\",\"name\":\"a\",\"type\":\"tuple\"},{\"internalType\":\"bytes32\",\"name\":\"leafHash\",\"type\":\"bytes32\"},{\"internalType\":\"uint256\",\"name\":\"index\",\"type\":\"uint256\"},{\"internalType\":\"bytes32[]\",\"name\":\"proof\",\"type\":\"bytes32[]\"}],\"name\":\"verifyInclusion\",\"outputs\":[{\"internalType\":\"bool\",\"name\":\"\",\"type\":\"bool\"}],\"stateMutability\":\"view\",\"type\":\"function\"}]",
	ID:  "ReceiptAnchor",
	Bin: "0x610100806040523461022b5760a081611e138038038091610020828561022f565b83398101031261022b57805160208201516040830151909290916001600160401b038316919082840361022b57606082015163ffffffff81169283820361022b5760800151906001600160a01b038216820361022b57861561021c578260805260c05260e05260405160208101917f599a80fcaa47b95e2323ab4d34d34e0cc9feda4b843edafcc30c7bdf60ea15bf83527fadf5601c2a457707122358f97815501acc53607858218304337f88ea845ce9f160408301527fc89efdaa54c0f20c7adf612882df0950f5a951637e0307cdcb4c672f298b8bc6606083015260808201526080815261011160a08261022f565b51902060a05261038442018042116101f957821161020d5781018091116101f95742116101eb575f805466ffffffffffffff60c01b191660c09290921b66ffffffffffffff60c01b169190911790556001557fe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855600255604051611bac9081610267823960805181610f33015260a05181818161015501528181610778015261153f015260c05181818161032001528181610cee01528181610dd101528181611158015261123f015260e051818181610c900152610d700152f35b621af02b60eb1b5f5260045ffd5b634e487b7160e01b5f52601160045260245ffd5b6333fdc0e760e01b5f5260045ffd5b630155672360e11b5f5260045ffd5b5f80fd5b601f909101601f19168101906001600160401b0382119082101761025257604052565b634e487b7160e01b5f52604160045260245ffdfe6080806040526004361015610012575f80fd5b5f3560e01c90816313866efa14610f0057508063312ba28914610d1257806336b31bf014610cb4578063452a932014610c4657806351ce7b4714610c0d5780635b9bdf1614610a025780636354b81b146109c85780636d72b5c1146109835780637f2e1d5d1461090f5780637f54af0c146108d45780638f7dcfa31461084d578063a1d9ac2514610812578063b58166f2146107d7578063bffebb791461073a578063cf646b89146101c3578063ec73ae4614610178578063f698da25146101205763ff37656e146100e2575f80fd5b3461011c575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261011c5760206040516104008152f35b5f80fd5b3461011c575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261011c5760206040517f00000000000000000000000000000000000000000000000000000000000000008152f35b3461011c5760207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261011c5760043561040081101561011c5760209060050154604051908152f35b3461011c577ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601610140811261011c5760c01361011c5760c43567ffffffffffffffff811161011c5761021b903690600401610f56565b906101043567ffffffffffffffff811161011c5761023d903690600401610f87565b91906101243567ffffffffffffffff811161011c57610260903690600401610f56565b91909261026b6110e6565b905f549567ffffffffffffffff87168352602083019267ffffffffffffffff8860401c168452604081019067ffffffffffffffff8960801c168252606081019866ffffffffffffff8160c01c168a5260f81c15158060808301526107125767ffffffffffffffff806102db610fea565b925116911611908115916106f1575b506106c9576102f7611018565b67ffffffffffffffff808551169116106106a15761034666ffffffffffffff88511663ffffffff7f00000000000000000000000000000000000000000000000000000000000000001690611133565b42116106795761035461102f565b61038442019081421161064c5767ffffffffffffffff16116106245760a43515801561060c575b6105e45767ffffffffffffffff936103a092610395610fb5565b9960e435918b61142f565b51166103aa611018565b91608435936002549367ffffffffffffffff81168414938480156105dc575b1561059e57505050610576578061056c575b610544575b810361053b575b506103ff6103f3610fea565b169061040082101561050e576105079266ffffffffffffff926005015567ffffffffffffffff61042161102f565b82518416911681101561050957508161043861102f565b165b610442610fea565b61044a611018565b90610453611001565b905f608067ffffffffffffffff6104686110e6565b931680845267ffffffffffffffff8681166020860152858116604080870191909152888b1660608701529290940192909252911692901b6fffffffffffffffff0000000000000000169190911760809190911b77ffffffffffffffff00000000000000000000000000000000161760c09190911b7effffffffffffff00000000000000000000000000000000000000000000000016175f555116611785565b005b61043a565b7f4e487b71000000000000000000000000000000000000000000000000000000005f52603260045260245ffd5b600255826103e7565b7ff0aeb8ee000000000000000000000000000000000000000000000000000000005f5260045ffd5b50808214156103db565b7f5aed9cff000000000000000000000000000000000000000000000000000000005f5260045ffd5b6105aa94508686611927565b9015610576576103e0577ff0aeb8ee000000000000000000000000000000000000000000000000000000005f5260045ffd5b5080156103c9565b7f02aace46000000000000000000000000000000000000000000000000000000005f5260045ffd5b506040518860051b908184823720600154141561037b565b7f33fdc0e7000000000000000000000000000000000000000000000000000000005f5260045ffd5b7f4e487b71000000000000000000000000000000000000000000000000000000005f52601160045260245ffd5b7fd7815800000000000000000000000000000000000000000000000000000000005f5260045ffd5b7f7de8f9c5000000000000000000000000000000000000000000000000000000005f5260045ffd5b7f4bd574ec000000000000000000000000000000000000000000000000000000005f5260045ffd5b905067ffffffffffffffff80610705611001565b92511691161115896102ea565b7f41dbb51e000000000000000000000000000000000000000000000000000000005f5260045ffd5b3461011c5760c07ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261011c5760206107cf610776610fb5565b7f0000000000000000000000000000000000000000000000000000000000000000604291604051917f19010000000000000000000000000000000000000000000000000000000000008352600283015260228201522090565b604051908152f35b3461011c575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261011c576020600254604051908152f35b3461011c575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261011c576020600354604051908152f35b3461011c575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261011c5760a05f546040519067ffffffffffffffff8116825267ffffffffffffffff8160401c16602083015267ffffffffffffffff8160801c16604083015266ffffffffffffff8160c01c16606083015260f81c15156080820152f35b3461011c575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261011c576020600154604051908152f35b3461011c577ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601610120811261011c5760c01361011c576101043567ffffffffffffffff811161011c5761097961096d6020923690600401610f56565b9060e43560c435611046565b6040519015158152f35b3461011c575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261011c57602067ffffffffffffffff60045416604051908152f35b3461011c575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261011c5760206040516103848152f35b3461011c577ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601610240811261011c5760c01361011c5760c43567ffffffffffffffff811161011c57610a5a903690600401610f56565b906101043567ffffffffffffffff811161011c57610a7c903690600401610f87565b91909260c07ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffedc36011261011c576101e43567ffffffffffffffff811161011c57610aca903690600401610f56565b93906102243567ffffffffffffffff811161011c57610aed903690600401610f87565b9390925f54978860f81c61071257610b03611140565b61067957610b0f610fea565b6101243567ffffffffffffffff81169182820361011c5767ffffffffffffffff91501603610be557610b5396610b489360e43591611183565b946102043591611275565b91828214610be5577fc0eccab55790044d1f86faa31ff4027cd717abd3eed7681e47c0b708e082bf38917f01000000000000000000000000000000000000000000000000000000000000007effffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff60409316175f5567ffffffffffffffff610bd6610fea565b169382519182526020820152a2005b7f7412124e000000000000000000000000000000000000000000000000000000005f5260045ffd5b3461011c5760c07ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261011c5760206107cf610fb5565b3461011c575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261011c57602060405173ffffffffffffffffffffffffffffffffffffffff7f0000000000000000000000000000000000000000000000000000000000000000168152f35b3461011c575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261011c57602060405163ffffffff7f0000000000000000000000000000000000000000000000000000000000000000168152f35b3461011c5760407ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261011c5760043560243567ffffffffffffffff811680820361011c5773ffffffffffffffffffffffffffffffffffffffff7f0000000000000000000000000000000000000000000000000000000000000000163303610ed8575f54908160f81c61071257610da9611140565b15610eb05783156105e457610384420180421161064c57811161062457610df79063ffffffff7f00000000000000000000000000000000000000000000000000000000000000001690611133565b42116106795767ffffffffffffffff6020917effffffffffffff0000000000000000000000000000000000000000000000007f71c69514e693c7fd7f0f33957b9710199b6e73847c814908ec987814d69edcdd9460c01b167fff00000000000000ffffffffffffffffffffffffffffffffffffffffffffffff8216175f55846001557fffffffffffffffffffffffffffffffffffffffffffffffff0000000000000000600454166004555f6003556040519485521692a2005b7fee72b06a000000000000000000000000000000000000000000000000000000005f5260045ffd5b7fef6d0f02000000000000000000000000000000000000000000000000000000005f5260045ffd5b3461011c575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261011c576020907f00000000000000000000000000000000000000000000000000000000000000008152f35b9181601f8401121561011c5782359167ffffffffffffffff831161011c576020808501948460051b01011161011c57565b9181601f8401121561011c5782359167ffffffffffffffff831161011c576020838186019501011161011c57565b60e06040517fa83140787348ddbd67fc82aa7f11f3a0f2402111d95af4ceade5f6c1ee6aede9815260c0600460208301372090565b60043567ffffffffffffffff8116810361011c5790565b60243567ffffffffffffffff8116810361011c5790565b60643567ffffffffffffffff8116810361011c5790565b60443567ffffffffffffffff8116810361011c5790565b929190925f5460f81c8015611086575b61107e576064359367ffffffffffffffff8516850361011c5761107b94608435611305565b90565b505050505f90565b5060043567ffffffffffffffff8116810361011c576103ff1661040081101561050e576005015460e06040517fa83140787348ddbd67fc82aa7f11f3a0f2402111d95af4ceade5f6c1ee6aede9815260c060046020830137201415611056565b6040519060a0820182811067ffffffffffffffff82111761110657604052565b7f4e487b71000000000000000000000000000000000000000000000000000000005f52604160045260245ffd5b9190820180921161064c57565b61117e66ffffffffffffff5f5460c01c1663ffffffff7f00000000000000000000000000000000000000000000000000000000000000001690611133565b421190565b929094939160e06040517fa83140787348ddbd67fc82aa7f11f3a0f2402111d95af4ceade5f6c1ee6aede9815260c06004602083013720958660043567ffffffffffffffff8116810361011c576103ff1661040081101561050e5760050154811461126c57506040518160051b9081878237206001548114159081611214575b506105e457611212948761142f565b565b6003541480159150611227575b5f611203565b5061126567ffffffffffffffff6004541663ffffffff7f00000000000000000000000000000000000000000000000000000000000000001690611133565b4211611221565b96505050505050565b929094939160e06040517fa83140787348ddbd67fc82aa7f11f3a0f2402111d95af4ceade5f6c1ee6aede9815260c061012460208301372095866101243567ffffffffffffffff8116810361011c576103ff1661040081101561050e5760050154811461126c57506040518160051b908187823720600154811415908161121457506105e457611212948761142f565b94919067ffffffffffffffff81168210156114255767ffffffffffffffff7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff6113519201168218611899565b61139c82821c670101010101010101670f0f0f0f0f0f0f0f60ff926755555555555555558160011c169003673333333333333333808260021c169116018060041c01160260381c1690565b81018303611425577fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff901b17926040519360015f5260051b9060208216938460200152809260051b01905b8183106113fd5750505060200151906040521490565b9091928335906040035260011c602080821693818581016041601f60025afa500191906113e7565b5050505050505f90565b909392948215801561177a575b8015611763575b61057657623fffc07e010001000100010001000100010001000100010001000100010001000100017eff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff7f55555555555555555555555555555555555555555555555555555555555555558960011c1689037f3333333333333333333333333333333333333333333333333333333333333333808260021c169116018060041c017f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f7e0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f8260081c16911601160260ea1c160361057657611596909493947f0000000000000000000000000000000000000000000000000000000000000000604291604051917f19010000000000000000000000000000000000000000000000000000000000008352600283015260228201522090565b92935f935f956bffffffffffffffffffffffff906001956040519384529284938660051b8601915b82861061167a575b50505050500360051c91156105e457810361164f57508060030260038104820361064c577f7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff8316830361064c578260011b1015611621575050565b7f86559b0e000000000000000000000000000000000000000000000000000000005f5260045260245260445ffd5b7fa1c97319000000000000000000000000000000000000000000000000000000005f5260045260245ffd5b91949297839a91949a359a8b1116976bffffffffffffffffffffffff8b17916bffffffffffffffffffffffff8c168091019b600183166116c9575b505060209060011c930194919390936115be565b7f7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a06020889d939498013591601b7f7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff84169360ff1c0160208801528d3560408801528260608801525f805260205f60808960015afa5060601c5f51189111176117595701986040019360205f6116b5565b99508395506115c6565b5061010083108015611443575085831c1515611443565b50610100831161143c565b60043567ffffffffffffffff81169182820361011c5760243567ffffffffffffffff81169081810361011c575060643567ffffffffffffffff81169081810361011c57506044359067ffffffffffffffff82169182810361011c575060405192835260208301526040820152837f4eb1b3b922e63fb2162db8664e7e2a47014c9346edb7a4d9b3c66533f785d137606060843593a36001549160a43590838214611892577f71c69514e693c7fd7f0f33957b9710199b6e73847c814908ec987814d69edcdd9367ffffffffffffffff60209484600155167fffffffffffffffffffffffffffffffffffffffffffffffff0000000000000000600454161760045560035550604051908152a2565b5050505050565b806118a357505f90565b6119236001917d0101020202020303030303030303000000000000000000000000000000006fffffffffffffffffffffffffffffffff821160071b67ffffffffffffffff83821c1160061b1763ffffffff83821c1160051b1761ffff83821c1160041b1760ff83821c1160031b17600f83821c1160021b1791821c1a1790565b0190565b9594929391909367ffffffffffffffff7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff830181811692611a11837fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff611a0782895f038a16167d0101020202020303030303030303000000000000000000000000000000006fffffffffffffffffffffffffffffffff821160071b67ffffffffffffffff83821c1160061b1763ffffffff83821c1160051b1761ffff83821c1160041b1760ff83821c1160031b17600f83821c1160021b1791821c1a1790565b9301168518611899565b937fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff611a7e82871c670101010101010101670f0f0f0f0f0f0f0f60ff926755555555555555558160011c169003673333333333333333808260021c169116018060041c01160260381c1690565b83870301951b17901c931616155f14611acc578303611ac05790611aa3929186611b20565b93905b149283611ab6575b505060019190565b1491505f80611aae565b5050505090505f905f90565b600190929192018303611ac057821561050e578260011161011c577fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff611b19930191602082019135611b20565b9390611aa6565b9391926040519360408501926001865286845260015f5260051b9060208216968760200152809260051b01905b818310611b635750505051926020015191604052565b909195863590818160400352611b93575b5060011c602080821696818881016041601f60025afa50019190611b4d565b60208601526020836041601f880160025afa505f611b7456",
}

// ReceiptAnchor is an auto generated Go binding around an Ethereum contract.
type ReceiptAnchor struct {
	abi abi.ABI
}

// NewReceiptAnchor creates a new instance of ReceiptAnchor.
func NewReceiptAnchor() *ReceiptAnchor {
	parsed, err := ReceiptAnchorMetaData.ParseABI()
	if err != nil {
		panic(errors.New("invalid ABI: " + err.Error()))
	}
	return &ReceiptAnchor{abi: *parsed}
}

// Instance creates a wrapper for a deployed contract instance at the given address.
// Use this to create the instance object passed to abigen v2 library functions Call, Transact, etc.
func (c *ReceiptAnchor) Instance(backend bind.ContractBackend, addr common.Address) *bind.BoundContract {
	return bind.NewBoundContract(addr, c.abi, backend, backend, backend)
}

// PackConstructor is the Go binding used to pack the parameters required for
// contract deployment.
//
// Solidity: constructor(bytes32 origin, bytes32 firstValset, uint64 time, uint32 trusting, address recoverer) returns()
func (receiptAnchor *ReceiptAnchor) PackConstructor(origin [32]byte, firstValset [32]byte, time uint64, trusting uint32, recoverer common.Address) []byte {
	enc, err := receiptAnchor.abi.Pack("", origin, firstValset, time, trusting, recoverer)
	if err != nil {
		panic(err)
	}
	return enc
}

// PackMAXAHEAD is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x6354b81b.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function MAX_AHEAD() view returns(uint256)
func (receiptAnchor *ReceiptAnchor) PackMAXAHEAD() []byte {
	enc, err := receiptAnchor.abi.Pack("MAX_AHEAD")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMAXAHEAD is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x6354b81b.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function MAX_AHEAD() view returns(uint256)
func (receiptAnchor *ReceiptAnchor) TryPackMAXAHEAD() ([]byte, error) {
	return receiptAnchor.abi.Pack("MAX_AHEAD")
}

// UnpackMAXAHEAD is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x6354b81b.
//
// Solidity: function MAX_AHEAD() view returns(uint256)
func (receiptAnchor *ReceiptAnchor) UnpackMAXAHEAD(data []byte) (*big.Int, error) {
	out, err := receiptAnchor.abi.Unpack("MAX_AHEAD", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackRING is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xff37656e.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function RING() view returns(uint256)
func (receiptAnchor *ReceiptAnchor) PackRING() []byte {
	enc, err := receiptAnchor.abi.Pack("RING")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRING is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xff37656e.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function RING() view returns(uint256)
func (receiptAnchor *ReceiptAnchor) TryPackRING() ([]byte, error) {
	return receiptAnchor.abi.Pack("RING")
}

// UnpackRING is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xff37656e.
//
// Solidity: function RING() view returns(uint256)
func (receiptAnchor *ReceiptAnchor) UnpackRING(data []byte) (*big.Int, error) {
	out, err := receiptAnchor.abi.Unpack("RING", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackDigest is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xbffebb79.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function digest((uint64,uint64,uint64,uint64,bytes32,bytes32) a) view returns(bytes32)
func (receiptAnchor *ReceiptAnchor) PackDigest(a ReceiptAnchorAnchor) []byte {
	enc, err := receiptAnchor.abi.Pack("digest", a)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackDigest is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xbffebb79.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function digest((uint64,uint64,uint64,uint64,bytes32,bytes32) a) view returns(bytes32)
func (receiptAnchor *ReceiptAnchor) TryPackDigest(a ReceiptAnchorAnchor) ([]byte, error) {
	return receiptAnchor.abi.Pack("digest", a)
}

// UnpackDigest is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xbffebb79.
//
// Solidity: function digest((uint64,uint64,uint64,uint64,bytes32,bytes32) a) view returns(bytes32)
func (receiptAnchor *ReceiptAnchor) UnpackDigest(data []byte) ([32]byte, error) {
	out, err := receiptAnchor.abi.Unpack("digest", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackDomainSeparator is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xf698da25.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function domainSeparator() view returns(bytes32)
func (receiptAnchor *ReceiptAnchor) PackDomainSeparator() []byte {
	enc, err := receiptAnchor.abi.Pack("domainSeparator")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackDomainSeparator is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xf698da25.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function domainSeparator() view returns(bytes32)
func (receiptAnchor *ReceiptAnchor) TryPackDomainSeparator() ([]byte, error) {
	return receiptAnchor.abi.Pack("domainSeparator")
}

// UnpackDomainSeparator is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xf698da25.
//
// Solidity: function domainSeparator() view returns(bytes32)
func (receiptAnchor *ReceiptAnchor) UnpackDomainSeparator(data []byte) ([32]byte, error) {
	out, err := receiptAnchor.abi.Unpack("domainSeparator", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackFreeze is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x5b9bdf16.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function freeze((uint64,uint64,uint64,uint64,bytes32,bytes32) a, bytes32[] membersA, uint256 bitmapA, bytes sigsA, (uint64,uint64,uint64,uint64,bytes32,bytes32) b, bytes32[] membersB, uint256 bitmapB, bytes sigsB) returns()
func (receiptAnchor *ReceiptAnchor) PackFreeze(a ReceiptAnchorAnchor, membersA [][32]byte, bitmapA *big.Int, sigsA []byte, b ReceiptAnchorAnchor, membersB [][32]byte, bitmapB *big.Int, sigsB []byte) []byte {
	enc, err := receiptAnchor.abi.Pack("freeze", a, membersA, bitmapA, sigsA, b, membersB, bitmapB, sigsB)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackFreeze is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x5b9bdf16.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function freeze((uint64,uint64,uint64,uint64,bytes32,bytes32) a, bytes32[] membersA, uint256 bitmapA, bytes sigsA, (uint64,uint64,uint64,uint64,bytes32,bytes32) b, bytes32[] membersB, uint256 bitmapB, bytes sigsB) returns()
func (receiptAnchor *ReceiptAnchor) TryPackFreeze(a ReceiptAnchorAnchor, membersA [][32]byte, bitmapA *big.Int, sigsA []byte, b ReceiptAnchorAnchor, membersB [][32]byte, bitmapB *big.Int, sigsB []byte) ([]byte, error) {
	return receiptAnchor.abi.Pack("freeze", a, membersA, bitmapA, sigsA, b, membersB, bitmapB, sigsB)
}

// PackGuardian is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x452a9320.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function guardian() view returns(address)
func (receiptAnchor *ReceiptAnchor) PackGuardian() []byte {
	enc, err := receiptAnchor.abi.Pack("guardian")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackGuardian is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x452a9320.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function guardian() view returns(address)
func (receiptAnchor *ReceiptAnchor) TryPackGuardian() ([]byte, error) {
	return receiptAnchor.abi.Pack("guardian")
}

// UnpackGuardian is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x452a9320.
//
// Solidity: function guardian() view returns(address)
func (receiptAnchor *ReceiptAnchor) UnpackGuardian(data []byte) (common.Address, error) {
	out, err := receiptAnchor.abi.Unpack("guardian", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackHashAnchor is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x51ce7b47.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function hashAnchor((uint64,uint64,uint64,uint64,bytes32,bytes32) a) pure returns(bytes32 h)
func (receiptAnchor *ReceiptAnchor) PackHashAnchor(a ReceiptAnchorAnchor) []byte {
	enc, err := receiptAnchor.abi.Pack("hashAnchor", a)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackHashAnchor is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x51ce7b47.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function hashAnchor((uint64,uint64,uint64,uint64,bytes32,bytes32) a) pure returns(bytes32 h)
func (receiptAnchor *ReceiptAnchor) TryPackHashAnchor(a ReceiptAnchorAnchor) ([]byte, error) {
	return receiptAnchor.abi.Pack("hashAnchor", a)
}

// UnpackHashAnchor is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x51ce7b47.
//
// Solidity: function hashAnchor((uint64,uint64,uint64,uint64,bytes32,bytes32) a) pure returns(bytes32 h)
func (receiptAnchor *ReceiptAnchor) UnpackHashAnchor(data []byte) ([32]byte, error) {
	out, err := receiptAnchor.abi.Unpack("hashAnchor", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackHead is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8f7dcfa3.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function head() view returns(uint64 nonce, uint64 treeSize, uint64 height, uint64 time, bool frozen)
func (receiptAnchor *ReceiptAnchor) PackHead() []byte {
	enc, err := receiptAnchor.abi.Pack("head")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackHead is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8f7dcfa3.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function head() view returns(uint64 nonce, uint64 treeSize, uint64 height, uint64 time, bool frozen)
func (receiptAnchor *ReceiptAnchor) TryPackHead() ([]byte, error) {
	return receiptAnchor.abi.Pack("head")
}

// HeadOutput serves as a container for the return parameters of contract
// method Head.
type HeadOutput struct {
	Nonce    uint64
	TreeSize uint64
	Height   uint64
	Time     uint64
	Frozen   bool
}

// UnpackHead is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x8f7dcfa3.
//
// Solidity: function head() view returns(uint64 nonce, uint64 treeSize, uint64 height, uint64 time, bool frozen)
func (receiptAnchor *ReceiptAnchor) UnpackHead(data []byte) (HeadOutput, error) {
	out, err := receiptAnchor.abi.Unpack("head", data)
	outstruct := new(HeadOutput)
	if err != nil {
		return *outstruct, err
	}
	outstruct.Nonce = *abi.ConvertType(out[0], new(uint64)).(*uint64)
	outstruct.TreeSize = *abi.ConvertType(out[1], new(uint64)).(*uint64)
	outstruct.Height = *abi.ConvertType(out[2], new(uint64)).(*uint64)
	outstruct.Time = *abi.ConvertType(out[3], new(uint64)).(*uint64)
	outstruct.Frozen = *abi.ConvertType(out[4], new(bool)).(*bool)
	return *outstruct, nil
}

// PackLastRoot is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb58166f2.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function lastRoot() view returns(bytes32)
func (receiptAnchor *ReceiptAnchor) PackLastRoot() []byte {
	enc, err := receiptAnchor.abi.Pack("lastRoot")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackLastRoot is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb58166f2.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function lastRoot() view returns(bytes32)
func (receiptAnchor *ReceiptAnchor) TryPackLastRoot() ([]byte, error) {
	return receiptAnchor.abi.Pack("lastRoot")
}

// UnpackLastRoot is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xb58166f2.
//
// Solidity: function lastRoot() view returns(bytes32)
func (receiptAnchor *ReceiptAnchor) UnpackLastRoot(data []byte) ([32]byte, error) {
	out, err := receiptAnchor.abi.Unpack("lastRoot", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackOriginId is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x13866efa.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function originId() view returns(bytes32)
func (receiptAnchor *ReceiptAnchor) PackOriginId() []byte {
	enc, err := receiptAnchor.abi.Pack("originId")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackOriginId is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x13866efa.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function originId() view returns(bytes32)
func (receiptAnchor *ReceiptAnchor) TryPackOriginId() ([]byte, error) {
	return receiptAnchor.abi.Pack("originId")
}

// UnpackOriginId is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x13866efa.
//
// Solidity: function originId() view returns(bytes32)
func (receiptAnchor *ReceiptAnchor) UnpackOriginId(data []byte) ([32]byte, error) {
	out, err := receiptAnchor.abi.Unpack("originId", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackPreviousTime is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x6d72b5c1.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function previousTime() view returns(uint64)
func (receiptAnchor *ReceiptAnchor) PackPreviousTime() []byte {
	enc, err := receiptAnchor.abi.Pack("previousTime")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackPreviousTime is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x6d72b5c1.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function previousTime() view returns(uint64)
func (receiptAnchor *ReceiptAnchor) TryPackPreviousTime() ([]byte, error) {
	return receiptAnchor.abi.Pack("previousTime")
}

// UnpackPreviousTime is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x6d72b5c1.
//
// Solidity: function previousTime() view returns(uint64)
func (receiptAnchor *ReceiptAnchor) UnpackPreviousTime(data []byte) (uint64, error) {
	out, err := receiptAnchor.abi.Unpack("previousTime", data)
	if err != nil {
		return *new(uint64), err
	}
	out0 := *abi.ConvertType(out[0], new(uint64)).(*uint64)
	return out0, nil
}

// PackPreviousValset is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xa1d9ac25.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function previousValset() view returns(bytes32)
func (receiptAnchor *ReceiptAnchor) PackPreviousValset() []byte {
	enc, err := receiptAnchor.abi.Pack("previousValset")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackPreviousValset is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xa1d9ac25.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function previousValset() view returns(bytes32)
func (receiptAnchor *ReceiptAnchor) TryPackPreviousValset() ([]byte, error) {
	return receiptAnchor.abi.Pack("previousValset")
}

// UnpackPreviousValset is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xa1d9ac25.
//
// Solidity: function previousValset() view returns(bytes32)
func (receiptAnchor *ReceiptAnchor) UnpackPreviousValset(data []byte) ([32]byte, error) {
	out, err := receiptAnchor.abi.Unpack("previousValset", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackRecover is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x312ba289.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function recover(bytes32 newValset, uint64 time) returns()
func (receiptAnchor *ReceiptAnchor) PackRecover(newValset [32]byte, time uint64) []byte {
	enc, err := receiptAnchor.abi.Pack("recover", newValset, time)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRecover is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x312ba289.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function recover(bytes32 newValset, uint64 time) returns()
func (receiptAnchor *ReceiptAnchor) TryPackRecover(newValset [32]byte, time uint64) ([]byte, error) {
	return receiptAnchor.abi.Pack("recover", newValset, time)
}

// PackRing is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xec73ae46.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function ring(uint256 ) view returns(bytes32)
func (receiptAnchor *ReceiptAnchor) PackRing(arg0 *big.Int) []byte {
	enc, err := receiptAnchor.abi.Pack("ring", arg0)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRing is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xec73ae46.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function ring(uint256 ) view returns(bytes32)
func (receiptAnchor *ReceiptAnchor) TryPackRing(arg0 *big.Int) ([]byte, error) {
	return receiptAnchor.abi.Pack("ring", arg0)
}

// UnpackRing is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xec73ae46.
//
// Solidity: function ring(uint256 ) view returns(bytes32)
func (receiptAnchor *ReceiptAnchor) UnpackRing(data []byte) ([32]byte, error) {
	out, err := receiptAnchor.abi.Unpack("ring", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackSubmit is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xcf646b89.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function submit((uint64,uint64,uint64,uint64,bytes32,bytes32) a, bytes32[] members, uint256 bitmap, bytes sigs, bytes32[] consistency) returns()
func (receiptAnchor *ReceiptAnchor) PackSubmit(a ReceiptAnchorAnchor, members [][32]byte, bitmap *big.Int, sigs []byte, consistency [][32]byte) []byte {
	enc, err := receiptAnchor.abi.Pack("submit", a, members, bitmap, sigs, consistency)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackSubmit is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xcf646b89.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function submit((uint64,uint64,uint64,uint64,bytes32,bytes32) a, bytes32[] members, uint256 bitmap, bytes sigs, bytes32[] consistency) returns()
func (receiptAnchor *ReceiptAnchor) TryPackSubmit(a ReceiptAnchorAnchor, members [][32]byte, bitmap *big.Int, sigs []byte, consistency [][32]byte) ([]byte, error) {
	return receiptAnchor.abi.Pack("submit", a, members, bitmap, sigs, consistency)
}

// PackTrustingPeriod is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x36b31bf0.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function trustingPeriod() view returns(uint32)
func (receiptAnchor *ReceiptAnchor) PackTrustingPeriod() []byte {
	enc, err := receiptAnchor.abi.Pack("trustingPeriod")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackTrustingPeriod is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x36b31bf0.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function trustingPeriod() view returns(uint32)
func (receiptAnchor *ReceiptAnchor) TryPackTrustingPeriod() ([]byte, error) {
	return receiptAnchor.abi.Pack("trustingPeriod")
}

// UnpackTrustingPeriod is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x36b31bf0.
//
// Solidity: function trustingPeriod() view returns(uint32)
func (receiptAnchor *ReceiptAnchor) UnpackTrustingPeriod(data []byte) (uint32, error) {
	out, err := receiptAnchor.abi.Unpack("trustingPeriod", data)
	if err != nil {
		return *new(uint32), err
	}
	out0 := *abi.ConvertType(out[0], new(uint32)).(*uint32)
	return out0, nil
}

// PackValset is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x7f54af0c.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function valset() view returns(bytes32)
func (receiptAnchor *ReceiptAnchor) PackValset() []byte {
	enc, err := receiptAnchor.abi.Pack("valset")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackValset is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x7f54af0c.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function valset() view returns(bytes32)
func (receiptAnchor *ReceiptAnchor) TryPackValset() ([]byte, error) {
	return receiptAnchor.abi.Pack("valset")
}

// UnpackValset is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x7f54af0c.
//
// Solidity: function valset() view returns(bytes32)
func (receiptAnchor *ReceiptAnchor) UnpackValset(data []byte) ([32]byte, error) {
	out, err := receiptAnchor.abi.Unpack("valset", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackVerifyInclusion is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x7f2e1d5d.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function verifyInclusion((uint64,uint64,uint64,uint64,bytes32,bytes32) a, bytes32 leafHash, uint256 index, bytes32[] proof) view returns(bool)
func (receiptAnchor *ReceiptAnchor) PackVerifyInclusion(a ReceiptAnchorAnchor, leafHash [32]byte, index *big.Int, proof [][32]byte) []byte {
	enc, err := receiptAnchor.abi.Pack("verifyInclusion", a, leafHash, index, proof)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackVerifyInclusion is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x7f2e1d5d.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function verifyInclusion((uint64,uint64,uint64,uint64,bytes32,bytes32) a, bytes32 leafHash, uint256 index, bytes32[] proof) view returns(bool)
func (receiptAnchor *ReceiptAnchor) TryPackVerifyInclusion(a ReceiptAnchorAnchor, leafHash [32]byte, index *big.Int, proof [][32]byte) ([]byte, error) {
	return receiptAnchor.abi.Pack("verifyInclusion", a, leafHash, index, proof)
}

// UnpackVerifyInclusion is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x7f2e1d5d.
//
// Solidity: function verifyInclusion((uint64,uint64,uint64,uint64,bytes32,bytes32) a, bytes32 leafHash, uint256 index, bytes32[] proof) view returns(bool)
func (receiptAnchor *ReceiptAnchor) UnpackVerifyInclusion(data []byte) (bool, error) {
	out, err := receiptAnchor.abi.Unpack("verifyInclusion", data)
	if err != nil {
		return *new(bool), err
	}
	out0 := *abi.ConvertType(out[0], new(bool)).(*bool)
	return out0, nil
}

// ReceiptAnchorAnchored represents a Anchored event raised by the ReceiptAnchor contract.
type ReceiptAnchorAnchored struct {
	Nonce    uint64
	Root     [32]byte
	Height   uint64
	TreeSize uint64
	Time     uint64
	Raw      *types.Log // Blockchain specific contextual infos
}

const ReceiptAnchorAnchoredEventName = "Anchored"

// ContractEventName returns the user-defined event name.
func (ReceiptAnchorAnchored) ContractEventName() string {
	return ReceiptAnchorAnchoredEventName
}

// UnpackAnchoredEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Anchored(uint64 indexed nonce, bytes32 indexed root, uint64 height, uint64 treeSize, uint64 time)
func (receiptAnchor *ReceiptAnchor) UnpackAnchoredEvent(log *types.Log) (*ReceiptAnchorAnchored, error) {
	event := "Anchored"
	if len(log.Topics) == 0 || log.Topics[0] != receiptAnchor.abi.Events[event].ID {
		return nil, errors.New("event signature mismatch")
	}
	out := new(ReceiptAnchorAnchored)
	if len(log.Data) > 0 {
		if err := receiptAnchor.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range receiptAnchor.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// ReceiptAnchorFrozen represents a Frozen event raised by the ReceiptAnchor contract.
type ReceiptAnchorFrozen struct {
	Nonce uint64
	A     [32]byte
	B     [32]byte
	Raw   *types.Log // Blockchain specific contextual infos
}

const ReceiptAnchorFrozenEventName = "Frozen"

// ContractEventName returns the user-defined event name.
func (ReceiptAnchorFrozen) ContractEventName() string {
	return ReceiptAnchorFrozenEventName
}

// UnpackFrozenEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Frozen(uint64 indexed nonce, bytes32 a, bytes32 b)
func (receiptAnchor *ReceiptAnchor) UnpackFrozenEvent(log *types.Log) (*ReceiptAnchorFrozen, error) {
	event := "Frozen"
	if len(log.Topics) == 0 || log.Topics[0] != receiptAnchor.abi.Events[event].ID {
		return nil, errors.New("event signature mismatch")
	}
	out := new(ReceiptAnchorFrozen)
	if len(log.Data) > 0 {
		if err := receiptAnchor.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range receiptAnchor.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// ReceiptAnchorValsetUpdated represents a ValsetUpdated event raised by the ReceiptAnchor contract.
type ReceiptAnchorValsetUpdated struct {
	Nonce  uint64
	Valset [32]byte
	Raw    *types.Log // Blockchain specific contextual infos
}

const ReceiptAnchorValsetUpdatedEventName = "ValsetUpdated"

// ContractEventName returns the user-defined event name.
func (ReceiptAnchorValsetUpdated) ContractEventName() string {
	return ReceiptAnchorValsetUpdatedEventName
}

// UnpackValsetUpdatedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event ValsetUpdated(uint64 indexed nonce, bytes32 valset)
func (receiptAnchor *ReceiptAnchor) UnpackValsetUpdatedEvent(log *types.Log) (*ReceiptAnchorValsetUpdated, error) {
	event := "ValsetUpdated"
	if len(log.Topics) == 0 || log.Topics[0] != receiptAnchor.abi.Events[event].ID {
		return nil, errors.New("event signature mismatch")
	}
	out := new(ReceiptAnchorValsetUpdated)
	if len(log.Data) > 0 {
		if err := receiptAnchor.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range receiptAnchor.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// UnpackError attempts to decode the provided error data using user-defined
// error definitions.
func (receiptAnchor *ReceiptAnchor) UnpackError(raw []byte) (any, error) {
	if bytes.Equal(raw[:4], receiptAnchor.abi.Errors["BadLength"].ID.Bytes()[:4]) {
		return receiptAnchor.UnpackBadLengthError(raw[4:])
	}
	if bytes.Equal(raw[:4], receiptAnchor.abi.Errors["BadNonce"].ID.Bytes()[:4]) {
		return receiptAnchor.UnpackBadNonceError(raw[4:])
	}
	if bytes.Equal(raw[:4], receiptAnchor.abi.Errors["BadSignature"].ID.Bytes()[:4]) {
		return receiptAnchor.UnpackBadSignatureError(raw[4:])
	}
	if bytes.Equal(raw[:4], receiptAnchor.abi.Errors["BadValset"].ID.Bytes()[:4]) {
		return receiptAnchor.UnpackBadValsetError(raw[4:])
	}
	if bytes.Equal(raw[:4], receiptAnchor.abi.Errors["FutureTime"].ID.Bytes()[:4]) {
		return receiptAnchor.UnpackFutureTimeError(raw[4:])
	}
	if bytes.Equal(raw[:4], receiptAnchor.abi.Errors["Inconsistent"].ID.Bytes()[:4]) {
		return receiptAnchor.UnpackInconsistentError(raw[4:])
	}
	if bytes.Equal(raw[:4], receiptAnchor.abi.Errors["IsFrozen"].ID.Bytes()[:4]) {
		return receiptAnchor.UnpackIsFrozenError(raw[4:])
	}
	if bytes.Equal(raw[:4], receiptAnchor.abi.Errors["LowPower"].ID.Bytes()[:4]) {
		return receiptAnchor.UnpackLowPowerError(raw[4:])
	}
	if bytes.Equal(raw[:4], receiptAnchor.abi.Errors["NoConflict"].ID.Bytes()[:4]) {
		return receiptAnchor.UnpackNoConflictError(raw[4:])
	}
	if bytes.Equal(raw[:4], receiptAnchor.abi.Errors["NotGuardian"].ID.Bytes()[:4]) {
		return receiptAnchor.UnpackNotGuardianError(raw[4:])
	}
	if bytes.Equal(raw[:4], receiptAnchor.abi.Errors["NotStale"].ID.Bytes()[:4]) {
		return receiptAnchor.UnpackNotStaleError(raw[4:])
	}
	if bytes.Equal(raw[:4], receiptAnchor.abi.Errors["Shrunk"].ID.Bytes()[:4]) {
		return receiptAnchor.UnpackShrunkError(raw[4:])
	}
	if bytes.Equal(raw[:4], receiptAnchor.abi.Errors["Stale"].ID.Bytes()[:4]) {
		return receiptAnchor.UnpackStaleError(raw[4:])
	}
	return nil, errors.New("Unknown error")
}

// ReceiptAnchorBadLength represents a BadLength error raised by the ReceiptAnchor contract.
type ReceiptAnchorBadLength struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error BadLength()
func ReceiptAnchorBadLengthErrorID() common.Hash {
	return common.HexToHash("0x5aed9cffb2924f3600794abbbf4f1b8e28b5057f1d71da9a1fd2d3a6d6b7aa32")
}

// UnpackBadLengthError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error BadLength()
func (receiptAnchor *ReceiptAnchor) UnpackBadLengthError(raw []byte) (*ReceiptAnchorBadLength, error) {
	out := new(ReceiptAnchorBadLength)
	if err := receiptAnchor.abi.UnpackIntoInterface(out, "BadLength", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// ReceiptAnchorBadNonce represents a BadNonce error raised by the ReceiptAnchor contract.
type ReceiptAnchorBadNonce struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error BadNonce()
func ReceiptAnchorBadNonceErrorID() common.Hash {
	return common.HexToHash("0x4bd574ec2ddb4275adeede756e59697049c6ed5913fe1e8c543e4945b593fee6")
}

// UnpackBadNonceError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error BadNonce()
func (receiptAnchor *ReceiptAnchor) UnpackBadNonceError(raw []byte) (*ReceiptAnchorBadNonce, error) {
	out := new(ReceiptAnchorBadNonce)
	if err := receiptAnchor.abi.UnpackIntoInterface(out, "BadNonce", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// ReceiptAnchorBadSignature represents a BadSignature error raised by the ReceiptAnchor contract.
type ReceiptAnchorBadSignature struct {
	Index *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error BadSignature(uint256 index)
func ReceiptAnchorBadSignatureErrorID() common.Hash {
	return common.HexToHash("0xa1c973190ea39240abfd4da3039e0d94cea4d1e689acfee87f4e7dbabee0f307")
}

// UnpackBadSignatureError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error BadSignature(uint256 index)
func (receiptAnchor *ReceiptAnchor) UnpackBadSignatureError(raw []byte) (*ReceiptAnchorBadSignature, error) {
	out := new(ReceiptAnchorBadSignature)
	if err := receiptAnchor.abi.UnpackIntoInterface(out, "BadSignature", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// ReceiptAnchorBadValset represents a BadValset error raised by the ReceiptAnchor contract.
type ReceiptAnchorBadValset struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error BadValset()
func ReceiptAnchorBadValsetErrorID() common.Hash {
	return common.HexToHash("0x02aace469e2a28cddbf7bf664a806d26aa339a3cf27b900b25c365c300787f9a")
}

// UnpackBadValsetError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error BadValset()
func (receiptAnchor *ReceiptAnchor) UnpackBadValsetError(raw []byte) (*ReceiptAnchorBadValset, error) {
	out := new(ReceiptAnchorBadValset)
	if err := receiptAnchor.abi.UnpackIntoInterface(out, "BadValset", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// ReceiptAnchorFutureTime represents a FutureTime error raised by the ReceiptAnchor contract.
type ReceiptAnchorFutureTime struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error FutureTime()
func ReceiptAnchorFutureTimeErrorID() common.Hash {
	return common.HexToHash("0x33fdc0e74843f13b74c09390a6b5baf30da56500b12e410b4a43817188df1a37")
}

// UnpackFutureTimeError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error FutureTime()
func (receiptAnchor *ReceiptAnchor) UnpackFutureTimeError(raw []byte) (*ReceiptAnchorFutureTime, error) {
	out := new(ReceiptAnchorFutureTime)
	if err := receiptAnchor.abi.UnpackIntoInterface(out, "FutureTime", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// ReceiptAnchorInconsistent represents a Inconsistent error raised by the ReceiptAnchor contract.
type ReceiptAnchorInconsistent struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error Inconsistent()
func ReceiptAnchorInconsistentErrorID() common.Hash {
	return common.HexToHash("0xf0aeb8eeb0014a3fa90fb14d64e55453c52d5dd9e8cc3388d3fc39a1f22e5874")
}

// UnpackInconsistentError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error Inconsistent()
func (receiptAnchor *ReceiptAnchor) UnpackInconsistentError(raw []byte) (*ReceiptAnchorInconsistent, error) {
	out := new(ReceiptAnchorInconsistent)
	if err := receiptAnchor.abi.UnpackIntoInterface(out, "Inconsistent", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// ReceiptAnchorIsFrozen represents a IsFrozen error raised by the ReceiptAnchor contract.
type ReceiptAnchorIsFrozen struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error IsFrozen()
func ReceiptAnchorIsFrozenErrorID() common.Hash {
	return common.HexToHash("0x41dbb51e561f90289e170783200b6f4bffc5168192db1f73768c44d31eed146c")
}

// UnpackIsFrozenError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error IsFrozen()
func (receiptAnchor *ReceiptAnchor) UnpackIsFrozenError(raw []byte) (*ReceiptAnchorIsFrozen, error) {
	out := new(ReceiptAnchorIsFrozen)
	if err := receiptAnchor.abi.UnpackIntoInterface(out, "IsFrozen", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// ReceiptAnchorLowPower represents a LowPower error raised by the ReceiptAnchor contract.
type ReceiptAnchorLowPower struct {
	Got   *big.Int
	Total *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error LowPower(uint256 got, uint256 total)
func ReceiptAnchorLowPowerErrorID() common.Hash {
	return common.HexToHash("0x86559b0edc6bfba698e8b9da130e1edc18ec7c6aee60a60a6f182327ec1296e7")
}

// UnpackLowPowerError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error LowPower(uint256 got, uint256 total)
func (receiptAnchor *ReceiptAnchor) UnpackLowPowerError(raw []byte) (*ReceiptAnchorLowPower, error) {
	out := new(ReceiptAnchorLowPower)
	if err := receiptAnchor.abi.UnpackIntoInterface(out, "LowPower", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// ReceiptAnchorNoConflict represents a NoConflict error raised by the ReceiptAnchor contract.
type ReceiptAnchorNoConflict struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NoConflict()
func ReceiptAnchorNoConflictErrorID() common.Hash {
	return common.HexToHash("0x7412124e23106f671f0c15e99815ae376e602111b93496444e63ed6071334091")
}

// UnpackNoConflictError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NoConflict()
func (receiptAnchor *ReceiptAnchor) UnpackNoConflictError(raw []byte) (*ReceiptAnchorNoConflict, error) {
	out := new(ReceiptAnchorNoConflict)
	if err := receiptAnchor.abi.UnpackIntoInterface(out, "NoConflict", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// ReceiptAnchorNotGuardian represents a NotGuardian error raised by the ReceiptAnchor contract.
type ReceiptAnchorNotGuardian struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NotGuardian()
func ReceiptAnchorNotGuardianErrorID() common.Hash {
	return common.HexToHash("0xef6d0f022a6034a270a71b2c18c08f672aa285210fc713e02118a224aabfd50b")
}

// UnpackNotGuardianError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NotGuardian()
func (receiptAnchor *ReceiptAnchor) UnpackNotGuardianError(raw []byte) (*ReceiptAnchorNotGuardian, error) {
	out := new(ReceiptAnchorNotGuardian)
	if err := receiptAnchor.abi.UnpackIntoInterface(out, "NotGuardian", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// ReceiptAnchorNotStale represents a NotStale error raised by the ReceiptAnchor contract.
type ReceiptAnchorNotStale struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NotStale()
func ReceiptAnchorNotStaleErrorID() common.Hash {
	return common.HexToHash("0xee72b06a3537f24824327632a35a0fa86c8b1e92247966493d867585719b1a3a")
}

// UnpackNotStaleError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NotStale()
func (receiptAnchor *ReceiptAnchor) UnpackNotStaleError(raw []byte) (*ReceiptAnchorNotStale, error) {
	out := new(ReceiptAnchorNotStale)
	if err := receiptAnchor.abi.UnpackIntoInterface(out, "NotStale", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// ReceiptAnchorShrunk represents a Shrunk error raised by the ReceiptAnchor contract.
type ReceiptAnchorShrunk struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error Shrunk()
func ReceiptAnchorShrunkErrorID() common.Hash {
	return common.HexToHash("0x7de8f9c5b3b6612d4f566ece028c37ff6d8796aa3212d18dfb735fa90b0635bb")
}

// UnpackShrunkError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error Shrunk()
func (receiptAnchor *ReceiptAnchor) UnpackShrunkError(raw []byte) (*ReceiptAnchorShrunk, error) {
	out := new(ReceiptAnchorShrunk)
	if err := receiptAnchor.abi.UnpackIntoInterface(out, "Shrunk", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// ReceiptAnchorStale represents a Stale error raised by the ReceiptAnchor contract.
type ReceiptAnchorStale struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error Stale()
func ReceiptAnchorStaleErrorID() common.Hash {
	return common.HexToHash("0xd78158005ff90f560abdfc97081e2f52e5c125de516a5644c160848239ff26dd")
}

// UnpackStaleError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error Stale()
func (receiptAnchor *ReceiptAnchor) UnpackStaleError(raw []byte) (*ReceiptAnchorStale, error) {
	out := new(ReceiptAnchorStale)
	if err := receiptAnchor.abi.UnpackIntoInterface(out, "Stale", raw); err != nil {
		return nil, err
	}
	return out, nil
}
